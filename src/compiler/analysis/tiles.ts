import { invariant } from "../diagnostics/invariant.js";
import { type Intervals, intervals, type Range } from "../ir/intervals.js";
import { lastOf, type Ranges, range, rangesOf, unite } from "./ranges.js";

/**
 * A set of wide numbers as disjoint products of sets of their parts, the most significant first; `widths` are the parts' bits,
 * at most 32 each. A prefix of an IPv6 address is one tile.
 */
export function tilesOf(set: Intervals, widths: readonly number[]): readonly (readonly Ranges[])[] {
  const [width, ...rest] = widths;
  invariant(width !== undefined, "a number has a part");
  if (set.length === 0) return [];
  if (rest.length === 0) return [[rangesOf(set)]];
  const below = rest.reduce((sum, one) => sum + one, 0);
  const { whole, parts } = split(set, BigInt(below));
  const everything = rest.map((one) => range(0, lastOf(one)));
  const tiles: (readonly Ranges[])[] = whole.length > 0 ? [[rangesOf(intervals(whole)), ...everything]] : [];
  for (const { values, tails } of sameTails(parts)) {
    for (const tail of tilesOf(tails, rest)) tiles.push([values, ...tail]);
  }
  return tiles;
}

interface Split {
  /** Values of the first part behind which everything is in the set. */
  readonly whole: readonly Range[];
  /** Values of the first part, and what of the set is behind them. */
  readonly parts: ReadonlyMap<bigint, readonly Range[]>;
}

function split(set: Intervals, below: bigint): Split {
  const last = (1n << below) - 1n;
  const whole: Range[] = [];
  const parts = new Map<bigint, Range[]>();
  const add = (head: bigint, tail: Range) => {
    const known = parts.get(head);
    if (known) known.push(tail);
    else parts.set(head, [tail]);
  };
  for (const { low, high } of set) {
    let [first, end] = [low >> below, high >> below];
    const [start, stop] = [low & last, high & last];
    if (first === end && (start > 0n || stop < last)) {
      add(first, { low: start, high: stop });
      continue;
    }
    if (start > 0n) add(first++, { low: start, high: last });
    if (stop < last) add(end--, { low: 0n, high: stop });
    if (first <= end) whole.push({ low: first, high: end });
  }
  return { whole, parts };
}

interface SameTails {
  readonly values: Ranges;
  readonly tails: Intervals;
}

function sameTails(parts: Split["parts"]): Iterable<SameTails> {
  const groups = new Map<string, SameTails>();
  for (const [value, tails] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = tails.map(({ low, high }) => `${low}-${high}`).join();
    const one = range(Number(value), Number(value));
    const known = groups.get(key);
    groups.set(key, { values: known ? unite(known.values, one) : one, tails });
  }
  return groups.values();
}
