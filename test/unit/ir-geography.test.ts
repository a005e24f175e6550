import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress, parsePrefix } from "../../src/compiler/ir/address.js";
import { addressesWith, type Located, partition } from "../../src/compiler/ir/geography.js";
import { contains } from "../../src/compiler/ir/intervals.js";

function row(text: string, value: string): Located<string> {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
  return { prefix: parsed.prefix, value };
}

const ROWS = [
  row("198.51.0.0/16", "DE"),
  row("198.51.100.0/24", "FR"),
  row("198.51.100.128/25", "DE"),
  row("203.0.113.0/24", "FR"),
  row("2001:db8::/32", "NL"),
  row("2001:db8:1::/48", "DE"),
];

describe("an address belongs to the longest prefix that holds it", () => {
  test.each([
    ["198.51.0.1", "DE"],
    ["198.51.99.255", "DE"],
    ["198.51.100.0", "FR"],
    ["198.51.100.127", "FR"],
    ["198.51.100.128", "DE"],
    ["198.51.101.0", "DE"],
    ["203.0.113.9", "FR"],
    ["192.0.2.1", null],
    ["2001:db8::1", "NL"],
    ["2001:db8:1::1", "DE"],
    ["2001:db8:2::", "NL"],
    ["2001:db9::", null],
  ])("%s: %s", (text, expected) => {
    const address = parseAddress(text);
    if (!address) throw new Error(text);
    const table = partition(ROWS);
    const found = [...table].filter(([, ranges]) => contains(ranges[address.family], address.value));
    expect(found.map(([value]) => value)).toEqual(expected === null ? [] : [expected]);
  });
});

test("random nested tables give each address the value of its longest prefix", () => {
  const anyRow = fc.tuple(fc.nat(255), fc.integer({ min: 24, max: 32 }), fc.constantFrom("A", "B", "C"));
  fc.assert(
    fc.property(
      fc.uniqueArray(anyRow, {
        selector: ([host, length]) => `${(host >> (32 - length)) << (32 - length)}/${length}`,
      }),
      (written) => {
        const rows = written.map(([host, length, value]) =>
          row(`192.0.2.${(host >> (32 - length)) << (32 - length)}/${length}`, value),
        );
        const table = partition(rows);
        for (let host = 0n; host < 256n; host++) {
          const address = 0xc0000200n + host;
          const holding = rows.filter(
            ({ prefix }) =>
              address >> BigInt(32 - prefix.length) === prefix.base >> BigInt(32 - prefix.length),
          );
          const longest = holding.sort((a, b) => b.prefix.length - a.prefix.length)[0];
          const found = [...table]
            .filter(([, ranges]) => contains(ranges[4], address))
            .map(([value]) => value);
          expect(found).toEqual(longest ? [longest.value] : []);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("several values are one set", () => {
  const both = addressesWith(partition(ROWS), ["DE", "FR"]);
  expect(both[4]).toHaveLength(2);
  expect(addressesWith(partition(ROWS), ["XX"])).toEqual({ 4: [], 6: [] });
});
