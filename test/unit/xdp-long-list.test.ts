import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Segments, segmentsOf } from "../../src/compiler/analysis/classify/segments.js";
import { contains, type Intervals, intervals } from "../../src/compiler/ir/intervals.js";
import { Image } from "../../src/targets/xdp/classifier/image.js";
import { addLongList, parted } from "../../src/targets/xdp/classifier/long-list.js";

/** Long lists in a program's data, followed as bpf-templates/classify.h does. */
function isIn(image: Image, table: number, address: number): boolean {
  const line = table + Math.floor(address / 2 ** 15) * 64;
  const low = address % 2 ** 15;
  const lane = (index: number) => (image.get(line + (index >> 1) * 4) >>> (16 * (index & 1))) & 0xffff;
  if (lane(31) === 1) {
    return ((image.get(image.get(line) + (low >>> 5) * 4) >>> (low & 31)) & 1) === 1;
  }
  let above = lane(31) === 0 ? 1 : 0;
  for (let index = 0; index < 31; index++) if ((lane(index) & 0x7fff) > low) above++;
  return above % 2 === 1;
}

function placesOf(ranges: Intervals): Uint32Array {
  const all = ranges.flatMap(({ low, high }) => [Number(low), Number(high) + 1]);
  return Uint32Array.from(all.filter((place) => place < 2 ** 32));
}

function expectIn(ranges: Intervals, addresses: readonly number[]) {
  const image = new Image();
  const table = addLongList(image, placesOf(ranges));
  if (table === undefined) throw new Error("the list has room");
  for (const address of addresses) {
    expect(isIn(image, table, address), `${address}`).toBe(contains(ranges, BigInt(address)));
  }
}

const LAST = 2 ** 32 - 1;

describe("a long list", () => {
  const near = fc.constantFrom(
    0,
    1,
    2 ** 15 - 1,
    2 ** 15,
    2 ** 15 + 1,
    2 ** 31,
    LAST - 2 ** 15,
    LAST - 1,
    LAST,
  );
  const address = fc.oneof(near, fc.nat(LAST), fc.nat(2 ** 16));
  const range = fc.tuple(address, fc.oneof(fc.nat(3), fc.nat(2 ** 17))).map(([low, length]) => ({
    low: BigInt(low),
    high: BigInt(Math.min(low + length, LAST)),
  }));

  test("holds what the ranges hold, at their corners and anywhere", () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 60 }),
        fc.array(address, { maxLength: 20 }),
        (some, others) => {
          const ranges = intervals(some);
          const corners = ranges.flatMap(({ low, high }) => [Number(low), Number(high)]);
          const beside = corners.flatMap((one) => [Math.max(one - 1, 0), one, Math.min(one + 1, LAST)]);
          expectIn(ranges, [...beside, ...others]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([15, 16, 17, 300])("has %i hosts in one part, as places or as bits", (hosts) => {
    const ranges = Array.from({ length: hosts }, (_, host) => {
      const low = BigInt(2 ** 24 + 2 ** 15 + 3 * host);
      return { low, high: low };
    });
    const around = Array.from({ length: 3 * hosts + 4 }, (_, at) => 2 ** 24 + 2 ** 15 - 2 + at);
    expectIn(ranges, [...around, 2 ** 24, 2 ** 24 + 2 ** 16 - 1, 2 ** 24 + 2 ** 16]);
  });

  test.each([
    ["begins in it and ends behind it", 2 ** 24 + 2 ** 14, 2 ** 24 + 2 ** 16],
    ["begins before it and ends in it", 2 ** 24 - 2 ** 14, 2 ** 24 + 2 ** 14],
  ])("has bits for a part where the list %s", (_, low, high) => {
    const part = 2 ** 24;
    const wide = { low: BigInt(low), high: BigInt(high) };
    const hosts = Array.from({ length: 20 }, (_, host) => {
      const alone = BigInt((low < part ? high + 2 : part) + 3 * host);
      return { low: alone, high: alone };
    });
    const ends = [low - 1, low, part - 1, part, part + 2 ** 15 - 1, part + 2 ** 15, high, high + 1];
    expectIn(intervals([wide, ...hosts]), [...ends, ...hosts.map((one) => Number(one.low) + 1)]);
  });

  test("is in up to the last address", () => {
    expectIn([{ low: 5n, high: BigInt(LAST) }], [0, 4, 5, 2 ** 15, 2 ** 31, LAST]);
  });

  test("is left to a tree where most of it is dense", () => {
    const places = new Uint32Array(2049 * 32);
    for (let part = 0; part < 2049; part++) {
      for (let at = 0; at < 32; at++) places[part * 32 + at] = part * 2 ** 15 + 2 * at;
    }
    expect(addLongList(new Image(), places)).toBeUndefined();
  });
});

describe("segments with a long list", () => {
  const hosts: Intervals = Array.from({ length: 2 ** 16 }, (_, host) => {
    const low = BigInt(2 ** 26 + 8 * host);
    return { low, high: low };
  });
  const wide: Intervals = [{ low: BigInt(2 ** 26 + 1000), high: BigInt(2 ** 27) }];

  test("are those of the other sets, and the list", () => {
    const segments = segmentsOf([wide, hosts], 32);
    const parts = parted(segments);
    if (!parts) throw new Error("the list is long");
    const image = new Image();
    const table = addLongList(image, parts.places) ?? Number.NaN;
    for (const address of [0, 2 ** 26, 2 ** 26 + 1, 2 ** 26 + 1000, 2 ** 26 + 1003, 2 ** 27, LAST]) {
      const pair = parts.both[classAt(parts.others, address)] ?? [];
      const found = pair[isIn(image, table, address) ? 1 : 0];
      expect(found, `${address}`).toBe(classAt(segments, address));
    }
  });

  test("are left alone where no list is long", () => {
    expect(parted(segmentsOf([wide, hosts.slice(1)], 32))).toBeUndefined();
  });
});

function classAt({ starts: [starts], classes }: Segments, address: number): number {
  const behind = starts?.findIndex((start) => start > address) ?? -1;
  return classes[(behind < 0 ? classes.length : behind) - 1] ?? -1;
}
