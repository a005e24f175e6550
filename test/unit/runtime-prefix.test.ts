import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressBytes,
  addressText,
  contains,
  cover,
  isFilledBy,
  lpmKey,
  type Prefix,
  parsePrefix,
} from "../../runtime/prefix.js";
import {
  addressBytes as compilerBytes,
  formatPrefix,
  prefixContains,
  prefixMask,
} from "../../src/compiler/ir/address.js";

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`not a prefix: ${text}`);
  return parsed;
}

const prefixes = fc
  .record({ six: fc.boolean(), bits: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), length: fc.nat(128) })
  .map(({ six, bits, length }) => {
    const family = six ? (6 as const) : (4 as const);
    const used = Math.min(length, six ? 128 : 32);
    const value = six ? bits : bits & 0xffffffffn;
    return { family, base: value & prefixMask(family, used), length: used };
  });

test("runtime and compiler read the same prefixes, of which one holds another for both", () => {
  fc.assert(
    fc.property(prefixes, prefixes, (a, b) => {
      const [mine, other] = [prefix(formatPrefix(a)), prefix(formatPrefix(b))];
      expect([...mine.bytes]).toEqual([...compilerBytes({ family: a.family, value: a.base })]);
      expect(contains(mine, other)).toBe(prefixContains(a, b));
    }),
  );
});

test.each([
  ["192.0.2.1", [192, 0, 2, 1]],
  ["::", Array(16).fill(0)],
  ["::1", [...Array(15).fill(0), 1]],
  ["2001:db8::7", [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7]],
  ["::ffff:192.0.2.1", [...Array(10).fill(0), 255, 255, 192, 0, 2, 1]],
])("%s is read, and written", (text, bytes) => {
  expect([...(addressBytes(text) ?? [])]).toEqual(bytes);
  expect(addressText(Uint8Array.from(bytes))).toBe(text);
});

test.each(["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0", "192.0.2/24", "2001:db8::1/64", "::/129", "x/8", ""])(
  "%j is not a prefix",
  (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  },
);

test.each([
  ["203.0.113.0/24", ["203.0.113.0/25", "203.0.113.128/25"], true],
  ["203.0.113.0/24", ["203.0.113.0/25", "203.0.113.128/26", "203.0.113.192/27"], false],
  ["203.0.113.0/24", ["203.0.112.0/23"], true],
  ["203.0.113.9/32", ["203.0.113.8/32"], false],
  ["203.0.113.8/31", ["203.0.113.8/32", "203.0.113.9/32"], true],
  ["2001:db8::/47", ["2001:db8::/48", "2001:db8:1::/48"], true],
  ["0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1"], true],
  ["203.0.113.0/24", [], false],
])("whether %s is filled by %j: %j", (block, others, isFilled) => {
  expect(isFilledBy(prefix(block), others.map(prefix))).toBe(isFilled);
});

describe("cover", () => {
  test.each([
    [["203.0.113.0/24", "203.0.113.128/25"], ["203.0.113.0/24"]],
    [["203.0.113.128/25", "203.0.113.0/24", "203.0.113.0/24"], ["203.0.113.0/24"]],
    [
      ["203.0.113.0/25", "203.0.113.128/25"],
      ["203.0.113.0/25", "203.0.113.128/25"],
    ],
    [
      [
        "2001:db8:1::/48",
        "10.0.0.0/8",
        "2001:db8::/48",
        "2001:db8::/32",
        "10.0.1.0/24",
        "9.0.0.0/9",
        "10.9.9.9/32",
      ],
      ["9.0.0.0/9", "10.0.0.0/8", "2001:db8::/32"],
    ],
    [
      ["0.0.0.0/0", "::/0", "2001:db8::/32"],
      ["0.0.0.0/0", "::/0"],
    ],
  ])("of %j is %j", (all, outermost) => {
    expect(cover(all.map(prefix)).map(({ text }) => text)).toEqual(outermost);
  });
});

test("a key of an LPM trie is the length and the address", () => {
  expect(Buffer.from(lpmKey(prefix("203.0.113.0/24"))).toString("hex")).toBe("18000000cb007100");
});
