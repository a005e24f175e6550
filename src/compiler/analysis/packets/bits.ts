import { contains, type Intervals } from "../../ir/intervals.js";

/** `width` bits, the most significant first, `start` bits from the beginning of some bytes. */
export interface BitRange {
  readonly start: number;
  readonly width: number;
}

export function readBits(bytes: Uint8Array, { start, width }: BitRange): bigint {
  const [first, end] = [start >> 3, (start + width + 7) >> 3];
  let value = 0n;
  for (let at = first; at < end; at++) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return BigInt.asUintN(width, value >> BigInt(8 * end - start - width));
}

/** Changes `bytes`. */
export function writeBits(bytes: Uint8Array, { start, width }: BitRange, value: bigint): void {
  const [first, end] = [start >> 3, (start + width + 7) >> 3];
  const shift = BigInt(8 * end - start - width);
  const mask = ((1n << BigInt(width)) - 1n) << shift;
  let all = (readBits(bytes, { start: 8 * first, width: 8 * (end - first) }) & ~mask) | (value << shift);
  for (let at = end - 1; at >= first; at--) {
    bytes[at] = Number(all & 0xffn);
    all >>= 8n;
  }
}

/** What is asked of one number: it lies in `ranges`, has a bit of each mask in `some`, and none of `none`. */
export interface Domain {
  readonly ranges: Intervals;
  readonly some: readonly bigint[];
  readonly none: bigint;
}

/** Bits that are given: `value` where `mask` is set. */
export interface Given {
  readonly mask: bigint;
  readonly value: bigint;
}

export function allows({ ranges, some, none }: Domain, value: bigint): boolean {
  return (value & none) === 0n && some.every((mask) => (value & mask) !== 0n) && contains(ranges, value);
}

/** A number of the domain with the given bits: the preferred one if it is one, else about the smallest. */
export function pick(domain: Domain, given: Given, width: number, preferred: bigint): bigint | undefined {
  const wanted = (preferred & ~given.mask) | given.value;
  if (allows(domain, wanted)) return wanted;
  if ((given.value & domain.none) !== 0n) return undefined;
  return pickWithMasks(domain, { mask: given.mask | domain.none, value: given.value }, width);
}

/** Each mask of `some` is met by one of its bits: tries them, the lowest first. */
function pickWithMasks(domain: Domain, given: Given, width: number): bigint | undefined {
  const open = domain.some.find((mask) => (given.value & mask) === 0n);
  if (open === undefined) return pickInRanges(domain.ranges, given, width);
  for (let free = open & ~given.mask; free !== 0n; free &= free - 1n) {
    const bit = free & -free;
    const found = pickWithMasks(domain, { mask: given.mask | bit, value: given.value | bit }, width);
    if (found !== undefined) return found;
  }
  return undefined;
}

function pickInRanges(ranges: Intervals, given: Given, width: number): bigint | undefined {
  for (const { low, high } of ranges) {
    const found = smallestFrom(low, given, width);
    if (found !== undefined && found <= high) return found;
  }
  return undefined;
}

/**
 * The smallest number from `low` on with the given bits. It is `low` itself, or agrees with `low` above some bit, has a 1
 * there where `low` has a 0, and below it nothing but what is given.
 */
function smallestFrom(low: bigint, { mask, value }: Given, width: number): bigint | undefined {
  if ((low & mask) === value) return low;
  for (let at = 0n; at < BigInt(width); at++) {
    const bit = 1n << at;
    const upper = ~((bit << 1n) - 1n);
    const canBeSet = (low & bit) === 0n && ((mask & bit) === 0n || (value & bit) !== 0n);
    if (canBeSet && (low & mask & upper) === (value & upper))
      return (low & upper) | bit | (value & (bit - 1n));
  }
  return undefined;
}
