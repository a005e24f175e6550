import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Segments, segmentsOf } from "../../src/compiler/analysis/classify/segments.js";
import { contains, type Intervals, intervals } from "../../src/compiler/ir/intervals.js";
import { Image } from "../../src/targets/xdp/classifier/image.js";
import { PAGE } from "../../src/targets/xdp/classifier/matrices.js";
import { addTree, MOST_STEPS, type Tree } from "../../src/targets/xdp/classifier/tree.js";

/** The trees of a program's data, followed as bpf-templates/classify.h does. */

const KEY_BITS = 20n;
const LANE = 21n;

/** Digits of an address: 32 bits, and for IPv6 five more of 20, the last 4 bits of nothing. */
function digitsOf(value: bigint, bits: number): readonly bigint[] {
  if (bits === 32) return [value];
  const rest = (value & ((1n << 96n) - 1n)) << 4n;
  return [value >> 96n, ...[80n, 60n, 40n, 20n, 0n].map((shift) => (rest >> shift) & 0xf_ffffn)];
}

function find(image: Image, { table, below }: Tree, value: bigint, bits: number): number {
  const [first = 0n, ...others] = digitsOf(value, bits);
  const shift = BigInt(below % 32);
  const index = Number(first >> shift);
  let entry = below >= 32 ? (table + index * 64) | 1 : image.get(table + index * 4);
  let digit = first & ((1n << shift) - 1n);
  for (let step = 0; (entry & 1) !== 0; step++) {
    expect(step).toBeLessThan(MOST_STEPS);
    if ((entry & 2) !== 0) digit = others.shift() ?? 0n;
    entry = image.get(entry - (entry % 64) + 24 + 4 * keysAbove(image, entry - (entry % 64), digit));
  }
  return entry;
}

function keysAbove(image: Image, node: number, digit: bigint): number {
  let above = 0;
  for (let word = 0; word < 3; word++) {
    const three = BigInt(image.get(node + 8 * word)) | (BigInt(image.get(node + 8 * word + 4)) << 32n);
    for (let lane = 0n; lane < 3n; lane++) {
      const key = (three >> (lane * LANE)) & ((1n << KEY_BITS) - 1n);
      if (key > digit) above++;
    }
  }
  return above;
}

function expectFound(
  segments: Segments,
  sets: readonly Intervals[],
  values: readonly bigint[],
  bits: number,
) {
  const image = new Image();
  const tree = addTree(image, segments, (found) => 4 * found);
  for (const value of values) {
    const members = sets.flatMap((set, index) => (contains(set, value) ? [index] : []));
    expect(segments.members[find(image, tree, value, bits) / 4], `${value}`).toEqual(members);
  }
}

describe.each([32, 128])("%i bits", (bits) => {
  const last = (1n << BigInt(bits)) - 1n;
  const corners = [
    0n,
    1n,
    last,
    last - 1n,
    last >> 1n,
    (last >> 1n) + 1n,
    last >> 33n,
    1n << 64n,
    (1n << 96n) - 1n,
  ];
  const value = fc.oneof(fc.bigInt(0n, last), fc.constantFrom(...corners.filter((one) => one <= last)));
  const range = fc.tuple(value, fc.nat(bits)).map(([base, length]) => {
    const host = (1n << BigInt(length)) - 1n;
    return { low: base & ~host & last, high: (base | host) & last };
  });

  test("random sets: each number is in the class that its sets are", () => {
    const sets = fc.array(fc.array(range, { minLength: 1, maxLength: 40 }).map(intervals), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(sets, fc.array(value, { minLength: 10 }), (all, some) => {
        const edges = all.flat().flatMap(({ low, high }) => [low, high, low - 1n, high + 1n]);
        const values = [...some, ...edges].filter((one) => one >= 0n && one <= last);
        expectFound(segmentsOf(all, bits), all, values, bits);
      }),
      { numRuns: 60 },
    );
  });
});

test("the program follows as many nodes, and cuts lines into pages as long, as the data have", () => {
  const header = readFileSync(new URL("../../bpf-templates/classify.h", import.meta.url), "utf8");
  const said = (name: string) => Number(new RegExp(`#define ${name} (\\d+)`).exec(header)?.[1]);
  expect(said("TG_TREE6_STEPS")).toBe(MOST_STEPS);
  expect(said("TG_PAGE")).toBe(PAGE);
});

test("a table of nodes, for many segments", () => {
  const ranges = Array.from({ length: 70_000 }, (_, at) => {
    const low = (BigInt(at) * 48_271n * 65_537n) % (1n << 32n);
    return { low, high: low };
  });
  const set = intervals(ranges);
  const values = ranges.slice(0, 3000).flatMap(({ low }) => [low, (low + 1n) % (1n << 32n)]);
  expectFound(segmentsOf([set], 32), [set], values, 32);
});
