import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cell, CellIndex } from "../../src/compiler/analysis/cell-index.js";
import { uncovered } from "../../src/compiler/analysis/cover.js";
import { Diagram } from "../../src/compiler/analysis/diagram.js";
import { unite } from "../../src/compiler/analysis/ranges.js";
import { NO } from "../../src/compiler/analysis/ref.js";
import {
  boxOfRegion,
  everywhere,
  type Region,
  regionHas,
  regionsMeet,
} from "../../src/compiler/analysis/region.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import { freePoint } from "../../src/compiler/analysis/walk.js";
import { number, rule } from "../support/ir.js";

const FIELDS = ["ip4.hdr_words", "ip4.ecn", "ip4.ttl", "tcp.window"] as const;
const SPACE = spaceOf([FIELDS.map((field) => rule("r", "drop", number(field, 1)))]);
const EVERYTHING = everywhere(SPACE);
const WORDS = SPACE.indexOf("ip4[4:4]") ?? -1;

/** Ranges of few values, so that they meet, or one that leaves the variable open. */
function valuesOf(bits: number): fc.Arbitrary<Uint32Array> {
  const last = Math.min(2 ** bits - 1, 11);
  const some = fc
    .tuple(fc.nat(last), fc.nat(last))
    .map(([a, b]) => Uint32Array.of(Math.min(a, b), Math.max(a, b)));
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(Uint32Array.of(0, 2 ** bits - 1)) },
    { weight: 3, arbitrary: some },
    { weight: 1, arbitrary: fc.tuple(some, some).map(([a, b]) => unite(a, b)) },
  );
}

const anyRegion: fc.Arbitrary<Region> = fc.tuple(...SPACE.variables.map(({ bits }) => valuesOf(bits)));
const anyCells: fc.Arbitrary<readonly Cell[]> = fc
  .array(anyRegion, { minLength: 1, maxLength: 60 })
  .map((regions) => regions.map((region, index) => ({ rule: index, region })));
const anyPoint = fc
  .tuple(...SPACE.variables.map(({ bits }) => fc.nat(Math.min(2 ** bits - 1, 12))))
  .map((values) => Uint32Array.from(values));

test("the index finds what a look at every cell finds", () => {
  fc.assert(
    fc.property(
      anyCells,
      anyRegion,
      fc.array(anyPoint, { minLength: 20, maxLength: 20 }),
      fc.nat(60),
      fc.nat(60),
      (cells, region, points, from, end) => {
        const index = new CellIndex(cells, SPACE.variables.length);
        const within = cells.filter(({ rule: number }) => number >= from && number < end);
        const meeting = within.filter((cell) => regionsMeet(cell.region, region));
        expect(index.meeting(region, from, end)).toEqual(meeting);
        for (const point of points) {
          const first = within.find((cell) => regionHas(cell.region, point));
          expect(index.firstAt(point, from, end)).toBe(first);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("cells cover a region where the diagram of what they leave is empty", () => {
  let [covered, free] = [0, 0];
  fc.assert(
    fc.property(anyRegion, fc.array(anyRegion, { maxLength: 30 }), (region, cells) => {
      const diagram = new Diagram(SPACE);
      const refs = [region, ...cells].map((one) => diagram.ofBox(boxOfRegion(one, EVERYTHING)));
      const left = refs.slice(1).reduce((ref, cell) => diagram.difference(ref, cell), refs[0] ?? NO);
      const found = uncovered(region, cells, { left: 1_000_000 });
      expect(found === "none").toBe(left === NO);
      if (typeof found === "string") covered++;
      else {
        free++;
        const ref = diagram.ofBox(boxOfRegion(found, EVERYTHING));
        expect(diagram.difference(ref, left)).toBe(NO);
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(covered, free)).toBeGreaterThan(30);
});

test("a walk ends outside all cells, or in one that holds the region", () => {
  fc.assert(
    fc.property(anyRegion, anyCells, fc.nat(), (region, cells, seed) => {
      const found = freePoint(region, (point) => cells.find((cell) => regionHas(cell.region, point)), seed);
      if (found && "point" in found) {
        expect(regionHas(region, found.point)).toBe(true);
        expect(cells.some((cell) => regionHas(cell.region, found.point))).toBe(false);
      } else if (found) {
        expect(uncovered(region, [found.holder.region], { left: 100 })).toBe("none");
      }
    }),
    { numRuns: 200 },
  );
});

test("effort that does not suffice is said", () => {
  const cells = [5, 6, 7].map((words) => EVERYTHING.with(WORDS, Uint32Array.of(words, words)));
  expect(uncovered(EVERYTHING, cells, { left: 2 })).toBe("tooMuch");
});
