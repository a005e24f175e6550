import type { Intervals } from "../ir/intervals.js";

/**
 * A set of numbers of at most 32 bits: inclusive ranges laid flat, [low, high, low, high, …].
 * INVARIANT (Disjoint): sorted, disjoint, and no two neighbours touch; so equal sets have equal ranges.
 */
export type Ranges = Uint32Array;

export const NOTHING: Ranges = new Uint32Array(0);

/** Each long list of a policy is asked for by many rules, and numbers of any length are slow to convert. */
const converted = new WeakMap<Intervals, Ranges>();

/** The values must fit 32 bits. */
export function rangesOf(set: Intervals): Ranges {
  const known = converted.get(set);
  if (known) return known;
  const ranges = new Uint32Array(2 * set.length);
  set.forEach(({ low, high }, index) => {
    ranges[2 * index] = Number(low);
    ranges[2 * index + 1] = Number(high);
  });
  converted.set(set, ranges);
  return ranges;
}

export function range(low: number, high: number): Ranges {
  return Uint32Array.of(low, high);
}

/** The largest number of `bits` bits. */
export function lastOf(bits: number): number {
  return 2 ** bits - 1;
}

/** The ranges hold every number of `bits` bits. */
export function isEverything(ranges: Ranges, bits: number): boolean {
  return ranges.length === 2 && ranges[0] === 0 && ranges[1] === lastOf(bits);
}

/** Where the first range that ends at `value` or behind it starts: a binary search, as lists are long. */
function from(ranges: Ranges, value: number): number {
  let low = 0;
  let high = ranges.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[2 * middle + 1] as number) < value) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** How many ends, from `start` on, `ranges` has until the other's last number and a little further. */
function reach(ranges: Ranges, start: number, other: Ranges): number {
  return Math.max(0, Math.min(ranges.length, from(ranges, other[other.length - 1] ?? 0) + 2) - start);
}

export function has(ranges: Ranges, value: number): boolean {
  const at = from(ranges, value);
  return at < ranges.length && (ranges[at] as number) <= value;
}

export function intersect(a: Ranges, b: Ranges): Ranges {
  if (a === b || a.length === 0 || b.length === 0) return a.length === 0 ? a : b;
  let i = from(a, b[0] as number);
  let j = from(b, a[0] as number);
  const common = new Uint32Array(reach(a, i, b) + reach(b, j, a));
  let length = 0;
  while (i < a.length && j < b.length) {
    const low = Math.max(a[i] as number, b[j] as number);
    const high = Math.min(a[i + 1] as number, b[j + 1] as number);
    if (low <= high) {
      common[length++] = low;
      common[length++] = high;
    }
    if ((a[i + 1] as number) < (b[j + 1] as number)) i += 2;
    else j += 2;
  }
  return common.slice(0, length);
}

/** They have a number in common. */
export function meet(a: Ranges, b: Ranges): boolean {
  if (a.length > b.length) return meet(b, a);
  for (let i = 0; i < a.length; i += 2) {
    const j = from(b, a[i] as number);
    if (j < b.length && (b[j] as number) <= (a[i + 1] as number)) return true;
  }
  return false;
}

/** All of `b` is in `a`. */
export function holds(a: Ranges, b: Ranges): boolean {
  if (a === b || b.length === 0) return true;
  if (a.length === 0) return false;
  const [first, last] = [b[0] as number, b[b.length - 1] as number];
  if (first < (a[0] as number) || last > (a[a.length - 1] as number)) return false;
  if (a.length === 2) return true;
  let i = from(a, first);
  for (let j = 0; j < b.length; j += 2) {
    while (i < a.length && (a[i + 1] as number) < (b[j] as number)) i += 2;
    if (i >= a.length || (a[i] as number) > (b[j] as number)) return false;
    if ((a[i + 1] as number) < (b[j + 1] as number)) return false;
  }
  return true;
}

export function unite(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  const all = new Uint32Array(a.length + b.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const first = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    const low = first ? (a[i] as number) : (b[j] as number);
    const high = first ? (a[i + 1] as number) : (b[j + 1] as number);
    if (first) i += 2;
    else j += 2;
    if (length > 0 && low <= (all[length - 1] as number) + 1) {
      all[length - 1] = Math.max(all[length - 1] as number, high);
    } else {
      all[length++] = low;
      all[length++] = high;
    }
  }
  return all.slice(0, length);
}

/** What is in `a` and not in `b`. */
export function subtract(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0) return a;
  let j = from(b, a[0] as number);
  const left = new Uint32Array(a.length + reach(b, j, a));
  let length = 0;
  for (let i = 0; i < a.length; i += 2) {
    let low = a[i] as number;
    const high = a[i + 1] as number;
    while (j < b.length && (b[j + 1] as number) < low) j += 2;
    for (let k = j; k < b.length && (b[k] as number) <= high; k += 2) {
      if ((b[k] as number) > low) {
        left[length++] = low;
        left[length++] = (b[k] as number) - 1;
      }
      low = (b[k + 1] as number) + 1;
    }
    if (low <= high) {
      left[length++] = low;
      left[length++] = high;
    }
  }
  return left.slice(0, length);
}

/** All numbers of `bits` bits that are not in `ranges`. */
export function without(ranges: Ranges, bits: number): Ranges {
  const gaps = new Uint32Array(ranges.length + 2);
  let length = 0;
  let next = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    if ((ranges[at] as number) > next) {
      gaps[length++] = next;
      gaps[length++] = (ranges[at] as number) - 1;
    }
    next = (ranges[at + 1] as number) + 1;
  }
  if (next <= lastOf(bits)) {
    gaps[length++] = next;
    gaps[length++] = lastOf(bits);
  }
  return gaps.slice(0, length);
}

export function sameRanges(a: Ranges, b: Ranges): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** How many numbers the ranges hold: up to 2^32. */
export function sizeOf(ranges: Ranges): number {
  let size = 0;
  for (let at = 0; at < ranges.length; at += 2)
    size += (ranges[at + 1] as number) - (ranges[at] as number) + 1;
  return size;
}

/** The numbers of `bits` bits whose `width` bits, `below` bits from the lowest one, lie in `ranges`. */
export function widened(ranges: Ranges, width: number, below: number, bits: number): Ranges {
  const [unit, period] = [2 ** below, 2 ** (below + width)];
  const all: number[] = [];
  for (let base = 0; base <= lastOf(bits); base += period) {
    for (let at = 0; at < ranges.length; at += 2) {
      const low = base + (ranges[at] as number) * unit;
      const high = base + (ranges[at + 1] as number) * unit + unit - 1;
      if (all.length > 0 && (all[all.length - 1] as number) + 1 === low) all[all.length - 1] = high;
      else all.push(low, high);
    }
  }
  return Uint32Array.from(all);
}
