import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  complement,
  contains,
  type Intervals,
  intersection,
  intervals,
  sameIntervals,
  union,
  universe,
} from "../../src/compiler/ir/intervals.js";

/** Small enough to ask about every value. */
const BITS = 5;
const VALUES = Array.from({ length: 1 << BITS }, (_, value) => BigInt(value));

const anyRange = fc
  .tuple(fc.nat((1 << BITS) - 1), fc.nat((1 << BITS) - 1))
  .map(([a, b]) => ({ low: BigInt(Math.min(a, b)), high: BigInt(Math.max(a, b)) }));
const anyRanges = fc.array(anyRange, { maxLength: 6 });
const anySet = anyRanges.map(intervals);

/** INVARIANT (Disjoint). */
function isCanonical(set: Intervals): boolean {
  return set.every(({ low, high }, i) => low <= high && (i === 0 || (set[i - 1]?.high ?? 0n) + 1n < low));
}

function check(set: Intervals, holds: (value: bigint) => boolean): void {
  expect(isCanonical(set)).toBe(true);
  expect(VALUES.filter((value) => contains(set, value))).toEqual(VALUES.filter(holds));
}

describe("sets of numbers, against every value", () => {
  test("ranges in any order", () => {
    fc.assert(
      fc.property(anyRanges, (ranges) =>
        check(intervals(ranges), (value) => ranges.some(({ low, high }) => low <= value && value <= high)),
      ),
    );
  });

  test("union, intersection and complement", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        check(union(a, b), (value) => contains(a, value) || contains(b, value));
        check(intersection(a, b), (value) => contains(a, value) && contains(b, value));
        check(complement(a, BITS), (value) => !contains(a, value));
      }),
    );
  });

  test("equal sets have equal ranges", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        expect(sameIntervals(a, b)).toBe(VALUES.every((value) => contains(a, value) === contains(b, value)));
        expect(sameIntervals(union(a, complement(a, BITS)), universe(BITS))).toBe(true);
      }),
    );
  });
});
