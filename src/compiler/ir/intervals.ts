/** An inclusive range of numbers, `low <= high`. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * A set of numbers as ranges.
 * INVARIANT (Disjoint): sorted, disjoint, and no two neighbours touch; so equal sets have equal ranges.
 */
export type Intervals = readonly Range[];

export const EMPTY: Intervals = [];

/** The set of all numbers of a field `bits` wide. */
export function universe(bits: number): Intervals {
  return [{ low: 0n, high: (1n << BigInt(bits)) - 1n }];
}

/** Sorts and merges ranges in any order, overlapping or not. */
export function intervals(ranges: readonly Range[]): Intervals {
  const sorted = [...ranges].sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  const merged: Range[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last && range.low <= last.high + 1n) {
      merged[merged.length - 1] = { low: last.low, high: range.high > last.high ? range.high : last.high };
    } else merged.push(range);
  }
  return merged;
}

export function union(a: Intervals, b: Intervals): Intervals {
  return intervals([...a, ...b]);
}

/** All numbers of a field `bits` wide that are not in `set`. */
export function complement(set: Intervals, bits: number): Intervals {
  const gaps: Range[] = [];
  let next = 0n;
  for (const { low, high } of set) {
    if (low > next) gaps.push({ low: next, high: low - 1n });
    next = high + 1n;
  }
  const last = (1n << BigInt(bits)) - 1n;
  if (next <= last) gaps.push({ low: next, high: last });
  return gaps;
}

export function intersection(a: Intervals, b: Intervals): Intervals {
  const common: Range[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i] as Range;
    const y = b[j] as Range;
    const low = x.low > y.low ? x.low : y.low;
    const high = x.high < y.high ? x.high : y.high;
    if (low <= high) common.push({ low, high });
    if (x.high < y.high) i++;
    else j++;
  }
  return common;
}

/** Binary search: O(log n) for the long lists that policies hold. */
export function contains(set: Intervals, value: bigint): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((set[middle] as Range).high < value) low = middle + 1;
    else high = middle;
  }
  const range = set[low];
  return range !== undefined && range.low <= value;
}

export function sameIntervals(a: Intervals, b: Intervals): boolean {
  return a.length === b.length && a.every((r, i) => r.low === b[i]?.low && r.high === b[i]?.high);
}
