import { describe, expect, test } from "vitest";
import {
  addressBytes,
  formatAddress,
  formatPrefix,
  parseAddress,
  parsePrefix,
  prefixContains,
  prefixContainsAddress,
  prefixRange,
  rangeAsPrefix,
  rangeToPrefixes,
} from "../../src/compiler/ir/address.js";

function prefix(text: string) {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(text);
  return parsed.prefix;
}

function addr(text: string) {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(text);
  return parsed;
}

describe("addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::", "::"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ])("%s is %s", (text, canonical) => {
    const address = addr(text);
    expect(formatAddress(address)).toBe(canonical);
    expect(addressBytes(address)).toHaveLength(address.family === 4 ? 4 : 16);
  });

  test.each([
    "",
    "1",
    "192.0.2",
    "192.0.2.256",
    "0300.0.2.1",
    "0x7f.0.0.1",
    "192.0.2.1 ",
    "fe80::1%eth0",
    ":::",
    "1::2::3",
    "::ffff:010.0.2.1",
  ])("%j is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("prefixes", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.0.2.1/32", "192.0.2.1/32"],
    ["2001:DB8::/32", "2001:db8::/32"],
  ])("%s is %s", (text, canonical) => {
    expect(formatPrefix(prefix(text))).toBe(canonical);
  });

  test.each([
    ["10.0.0.1/8", "10.0.0.0/8"],
    ["203.0.113.128/24", "203.0.113.0/24"],
    ["2001:db8::1/64", "2001:db8::/64"],
  ])("%s has host bits and means %s", (text, meant) => {
    const parsed = parsePrefix(text);
    expect(parsed.kind === "hostBits" && formatPrefix(parsed.meant)).toBe(meant);
  });

  test.each([
    "10.0.0.0/08",
    "0.0.0.0/00",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "x/8",
    "10.0.0.0/1e1",
  ])("%s is none", (text) => {
    expect(parsePrefix(text).kind).toBe("bad");
  });

  test.each([
    ["10.0.0.0/8", "10.1.0.0/16", true],
    ["10.1.0.0/16", "10.0.0.0/8", false],
    // The shorter one begins where the longer one does.
    ["10.0.0.0/16", "10.0.0.0/8", false],
    ["10.0.0.0/8", "11.0.0.0/16", false],
    ["0.0.0.0/0", "::/0", false],
  ])("%s contains %s: %s", (outer, inner, expected) => {
    expect(prefixContains(prefix(outer), prefix(inner))).toBe(expected);
  });

  test.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["::/0", "192.0.2.1", false],
    ["2001:db8::/33", "2001:db8:8000::", false],
  ])("%s contains the address %s: %s", (outer, address, expected) => {
    expect(prefixContainsAddress(prefix(outer), addr(address))).toBe(expected);
  });
});

describe("ranges and prefixes", () => {
  const range = (low: string, high: string) => ({ low: addr(low).value, high: addr(high).value });

  test("a prefix is its range", () => {
    expect(prefixRange(prefix("192.0.2.64/26"))).toEqual(range("192.0.2.64", "192.0.2.127"));
    expect(rangeAsPrefix(4, range("192.0.2.64", "192.0.2.127"))).toEqual(prefix("192.0.2.64/26"));
    expect(rangeAsPrefix(4, range("0.0.0.0", "255.255.255.255"))).toEqual(prefix("0.0.0.0/0"));
  });

  test.each([
    ["192.0.2.64", "192.0.2.126"],
    ["192.0.2.65", "192.0.2.128"],
    ["192.0.2.1", "192.0.2.2"],
  ])("%s to %s is no prefix", (low, high) => {
    expect(rangeAsPrefix(4, range(low, high))).toBeUndefined();
  });

  test.each([
    ["10.0.0.1", "10.0.0.6", ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]],
    ["0.0.0.0", "255.255.255.255", ["0.0.0.0/0"]],
    ["255.255.255.254", "255.255.255.255", ["255.255.255.254/31"]],
    ["10.0.0.0", "10.0.2.255", ["10.0.0.0/23", "10.0.2.0/24"]],
  ])("%s to %s in the fewest prefixes", (low, high, expected) => {
    expect(rangeToPrefixes(4, range(low, high)).map(formatPrefix)).toEqual(expected);
  });
});
