import { compare } from "../diagnostics/compare.js";
import { type Family, type Prefix, prefixRange } from "./address.js";
import { type Intervals, intervals, type Range } from "./intervals.js";

/** Addresses of both families. */
export type Addresses = Readonly<Record<Family, Intervals>>;

/** Which addresses each value has; no address has two. */
export type Partition<Value extends string | number> = ReadonlyMap<Value, Addresses>;

/** The operator's tables: what `ip.src.country` and `ip.src.asnum` ask. */
export interface Geography {
  readonly country: Partition<string>;
  readonly asnum: Partition<number>;
}

/** One row of a table. */
export interface Located<Value extends string | number> {
  readonly prefix: Prefix;
  readonly value: Value;
}

/** Prefixes may nest: an address belongs to the longest one that holds it, as in a routing table. */
export function partition<Value extends string | number>(rows: readonly Located<Value>[]): Partition<Value> {
  const found = new Map<Value, Record<Family, Range[]>>();
  for (const family of [4, 6] as const) {
    const own = rows.filter(({ prefix }) => prefix.family === family);
    for (const { range, value } of outermostFirst(own)) {
      const ranges = found.get(value) ?? { 4: [], 6: [] };
      found.set(value, ranges);
      ranges[family].push(range);
    }
  }
  return new Map(
    [...found].map(([value, ranges]) => [value, { 4: intervals(ranges[4]), 6: intervals(ranges[6]) }]),
  );
}

interface Piece<Value> {
  readonly range: Range;
  readonly value: Value;
}

/** Walks nested prefixes from the lowest address up; what an inner one takes is left out of those around it. */
function outermostFirst<Value extends string | number>(
  rows: readonly Located<Value>[],
): readonly Piece<Value>[] {
  const sorted = [...rows].sort(
    (a, b) => compare(a.prefix.base, b.prefix.base) || a.prefix.length - b.prefix.length,
  );
  const pieces: Piece<Value>[] = [];
  const open: Piece<Value>[] = [];
  let next = 0n;
  const closeBefore = (address: bigint | null): void => {
    for (
      let inner = open.at(-1);
      inner && (address === null || inner.range.high < address);
      inner = open.at(-1)
    ) {
      take(inner, inner.range.high);
      open.pop();
    }
  };
  const take = ({ value }: Piece<Value>, high: bigint): void => {
    if (next <= high) pieces.push({ range: { low: next, high }, value });
    next = high + 1n;
  };
  for (const { prefix, value } of sorted) {
    const range = prefixRange(prefix);
    closeBefore(range.low);
    const around = open.at(-1);
    if (around && next < range.low) take(around, range.low - 1n);
    next = range.low;
    open.push({ range, value });
  }
  closeBefore(null);
  return pieces;
}

/** All addresses that have one of the values. */
export function addressesWith<Value extends string | number>(
  partition: Partition<Value>,
  values: Iterable<Value>,
): Addresses {
  const parts = [...values].flatMap((value) => partition.get(value) ?? []);
  return { 4: intervals(parts.flatMap((part) => part[4])), 6: intervals(parts.flatMap((part) => part[6])) };
}
