import fc from "fast-check";
import { expect, test } from "vitest";
import {
  has,
  holds,
  intersect,
  isEverything,
  meet,
  type Ranges,
  range,
  rangesOf,
  sameRanges,
  sizeOf,
  subtract,
  unite,
  widened,
  without,
} from "../../src/compiler/analysis/ranges.js";
import { intervals } from "../../src/compiler/ir/intervals.js";

const BITS = 6;
const NUMBERS = Array.from({ length: 2 ** BITS }, (_, number) => number);

const anyRanges: fc.Arbitrary<Ranges> = fc
  .array(fc.tuple(fc.nat(63), fc.nat(9)), { maxLength: 12 })
  .map((all) =>
    intervals(all.map(([low, more]) => ({ low: BigInt(low), high: BigInt(Math.min(63, low + more)) }))),
  )
  .map(rangesOf);

const members = (ranges: Ranges) => NUMBERS.filter((number) => has(ranges, number));

/** As ranges are written: sorted, disjoint, no two of them touching. */
function expectProper(ranges: Ranges): void {
  for (let at = 1; at < ranges.length; at++) {
    const [before, now] = [ranges[at - 1] ?? 0, ranges[at] ?? 0];
    expect(now - before).toBeGreaterThanOrEqual(at % 2 === 0 ? 2 : 0);
  }
}

test("ranges are sets of numbers", () => {
  fc.assert(
    fc.property(anyRanges, anyRanges, (a, b) => {
      const [inA, inB] = [new Set(members(a)), new Set(members(b))];
      const results = [intersect(a, b), unite(a, b), subtract(a, b), without(a, BITS)];
      for (const result of results) expectProper(result);
      expect(results.map(members)).toEqual([
        NUMBERS.filter((number) => inA.has(number) && inB.has(number)),
        NUMBERS.filter((number) => inA.has(number) || inB.has(number)),
        NUMBERS.filter((number) => inA.has(number) && !inB.has(number)),
        NUMBERS.filter((number) => !inA.has(number)),
      ]);
      expect(meet(a, b)).toBe(NUMBERS.some((number) => inA.has(number) && inB.has(number)));
      expect(holds(a, b)).toBe([...inB].every((number) => inA.has(number)));
      expect(sameRanges(a, b)).toBe(holds(a, b) && holds(b, a));
      expect(sizeOf(a)).toBe(inA.size);
      expect(isEverything(a, BITS)).toBe(inA.size === NUMBERS.length);
    }),
    { numRuns: 500 },
  );
});

test("a few bits of a number are ranges of the whole number", () => {
  fc.assert(
    fc.property(anyRanges, fc.nat(3), fc.nat(2), (all, below, above) => {
      const width = 4;
      const ranges = intersect(all, range(0, 15));
      const bits = above + width + below;
      const wide = widened(ranges, width, below, bits);
      expectProper(wide);
      for (let number = 0; number < 2 ** bits; number++) {
        expect(has(wide, number)).toBe(has(ranges, (number >> below) & 15));
      }
    }),
    { numRuns: 100 },
  );
});
