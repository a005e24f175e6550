import ipaddr from "ipaddr.js";
import type { Range } from "./intervals.js";

export type Family = 4 | 6;

/** One IP address; `value` is its 32 or 128 bits as a number. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** An address prefix whose host bits are all zero. */
export interface Prefix {
  readonly family: Family;
  readonly base: bigint;
  readonly length: number;
}

export const ADDRESS_BITS = { 4: 32, 6: 128 } as const satisfies Record<Family, number>;

/** Reads dotted-quad IPv4 (four decimal parts, no other spelling) or RFC 4291 IPv6 without a zone. */
export function parseAddress(text: string): Address | undefined {
  const quad = parseQuad(text);
  if (quad !== undefined) return { family: 4, value: quad };
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (tail.includes(".") && parseQuad(tail) === undefined) return undefined;
  return addressFromBytes(ipaddr.IPv6.parse(text).toByteArray());
}

const QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Lists hold hundreds of thousands of these, for which a general parser takes seconds. */
function parseQuad(text: string): bigint | undefined {
  const parts = QUAD.exec(text)?.slice(1) ?? [];
  const isQuad =
    parts.length === 4 && parts.every((part) => part === String(Number(part)) && Number(part) <= 255);
  return isQuad ? BigInt(parts.reduce((sum, part) => sum * 256 + Number(part), 0)) : undefined;
}

/** Decimal without a leading zero, which some programs read as octal. */
const LENGTH = /^(?:0|[1-9]\d{0,2})$/;

/** What `parsePrefix` found: a prefix, or the prefix that was meant where host bits are set. */
export type ParsedPrefix =
  | { readonly kind: "prefix"; readonly prefix: Prefix }
  | { readonly kind: "hostBits"; readonly meant: Prefix }
  | { readonly kind: "bad" };

/** Reads `ADDRESS/LENGTH`; a bare address is not a prefix here. */
export function parsePrefix(text: string): ParsedPrefix {
  const [head = "", tail = "", ...rest] = text.split("/");
  const address = parseAddress(head);
  const length = Number(tail);
  if (!address || rest.length > 0 || !LENGTH.test(tail) || length > ADDRESS_BITS[address.family]) {
    return { kind: "bad" };
  }
  const base = address.value & prefixMask(address.family, length);
  const prefix: Prefix = { family: address.family, base, length };
  return base === address.value ? { kind: "prefix", prefix } : { kind: "hostBits", meant: prefix };
}

/** The netmask of a prefix length, as a number of the family's width. */
export function prefixMask(family: Family, length: number): bigint {
  const host = BigInt(ADDRESS_BITS[family] - length);
  return (((1n << BigInt(ADDRESS_BITS[family])) - 1n) >> host) << host;
}

/** The first and last address of a prefix. */
export function prefixRange(prefix: Prefix): Range {
  const host = BigInt(ADDRESS_BITS[prefix.family] - prefix.length);
  return { low: prefix.base, high: prefix.base | ((1n << host) - 1n) };
}

export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  return (
    outer.family === inner.family &&
    outer.length <= inner.length &&
    (inner.base & prefixMask(outer.family, outer.length)) === outer.base
  );
}

export function prefixContainsAddress(prefix: Prefix, { family, value }: Address): boolean {
  return prefix.family === family && (value & prefixMask(family, prefix.length)) === prefix.base;
}

/** Addresses that everybody may use for themselves (RFC 1918, RFC 3927, RFC 6598, RFC 4193), so that they mean nobody elsewhere. */
const PRIVATE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "fc00::/7",
];

export function isPrivate(address: Address): boolean {
  return PRIVATE.some((text) => {
    const parsed = parsePrefix(text);
    return parsed.kind === "prefix" && prefixContainsAddress(parsed.prefix, address);
  });
}

/** The one prefix that is exactly `range`, if there is one. */
export function rangeAsPrefix(family: Family, range: Range): Prefix | undefined {
  const size = range.high - range.low + 1n;
  if ((size & (size - 1n)) !== 0n || range.low % size !== 0n) return undefined;
  return { family, base: range.low, length: ADDRESS_BITS[family] - (size.toString(2).length - 1) };
}

/** The fewest prefixes that together are exactly `range`, in address order. */
export function rangeToPrefixes(family: Family, range: Range): readonly Prefix[] {
  const prefixes: Prefix[] = [];
  let low = range.low;
  while (low <= range.high) {
    let host = 0;
    while (host < ADDRESS_BITS[family]) {
      const size = 1n << BigInt(host + 1);
      if (low % size !== 0n || low + size - 1n > range.high) break;
      host++;
    }
    prefixes.push({ family, base: low, length: ADDRESS_BITS[family] - host });
    low += 1n << BigInt(host);
  }
  return prefixes;
}

export function addressBytes({ family, value }: Address): Uint8Array {
  const hex = value.toString(16).padStart(ADDRESS_BITS[family] / 4, "0");
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

export function addressFromBytes(bytes: ArrayLike<number>): Address {
  // Every packet that is judged has two addresses, and sums of bigints are slow: word by word.
  let value = 0n;
  for (let at = 0; at < bytes.length; at += 4) value = (value << 32n) | BigInt(wordAt(bytes, at));
  return { family: bytes.length === 4 ? 4 : 6, value };
}

function wordAt(bytes: ArrayLike<number>, at: number): number {
  let word = 0;
  for (let next = at; next < at + 4; next++) word = word * 256 + (bytes[next] ?? 0);
  return word;
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatAddress(address: Address): string {
  const bytes = [...addressBytes(address)];
  return address.family === 4 ? bytes.join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress({ family: prefix.family, value: prefix.base })}/${prefix.length}`;
}
