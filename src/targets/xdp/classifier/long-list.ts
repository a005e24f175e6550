import type { Segments } from "../../../compiler/analysis/classify/segments.js";
import { CELL, type Image, LINE } from "./image.js";

/*
 * A list of IPv4 prefixes that is too long for a tree: whether an address is in it is one bit, so nothing has to be said of
 * what is between two places where the list begins or ends. One line of memory for each 2^15 addresses has up to 31 such
 * places, 15 bits and a bit above each, four in a word. Whether the number of those above an address is odd says whether
 * the address is in: bpf-templates/classify.h.
 */

const PART_BITS = 15;
const PARTS = 2 ** (32 - PART_BITS);
/** The last lane of a line is not a place. */
const PLACES = 31;
const LANES = PLACES + 1;
/** Above each place. */
const GUARD = 1 << PART_BITS;
/** The last lane: it says whether the addresses behind all places are in, or that the first cell says where a bitmap is. */
const OUT = GUARD;
const IN = 0;
const BITMAP = 1;

/** A part with more places is a bit for each address; of a list that has more such parts, a tree is smaller. */
const MOST_BITMAPS = 2048;
const BITMAP_BYTES = 2 ** PART_BITS / 8;

/** Puts a set into the image that begins and ends at the places, in turns: place of its lines. Undefined: too much is dense. */
export function addLongList(image: Image, places: Uint32Array): number | undefined {
  const counts = new Uint32Array(PARTS);
  for (const place of places) (counts[place >>> PART_BITS] as number)++;
  if (counts.reduce((dense, count) => dense + (count > PLACES ? 1 : 0), 0) > MOST_BITMAPS) return undefined;
  // A lane without a place is 0, and so never above an address.
  const lanes = new Uint16Array(PARTS * LANES).fill(GUARD);
  for (let part = 0, first = 0; part < PARTS; part++) {
    const end = first + (counts[part] as number);
    const line = lanes.subarray(part * LANES, (part + 1) * LANES);
    fillLine(image, line, places.subarray(first, end), end % 2 === 1);
    first = end;
  }
  return image.add(new Uint32Array(lanes.buffer), LINE);
}

/** `isIn`: whether what is behind all places is in. */
function fillLine(image: Image, line: Uint16Array, places: Uint32Array, isIn: boolean): void {
  if (places.length > PLACES) {
    const bitmap = addBitmap(image, places, isIn);
    line[0] = bitmap % 2 ** 16;
    line[1] = bitmap >>> 16;
    line[PLACES] = BITMAP;
    return;
  }
  places.forEach((place, lane) => {
    line[lane] = GUARD | (place % GUARD);
  });
  line[PLACES] = isIn ? IN : OUT;
}

function addBitmap(image: Image, places: Uint32Array, isIn: boolean): number {
  const bits = new Uint32Array(BITMAP_BYTES / CELL);
  let state = isIn === (places.length % 2 === 0);
  for (let at = 0, next = 0; at < GUARD; at++) {
    while (next < places.length && (places[next] as number) % GUARD === at) {
      state = !state;
      next++;
    }
    if (state) bits[at >>> 5] = (bits[at >>> 5] as number) | (1 << (at & 31));
  }
  return image.add(bits, LINE);
}

/** Segments taken apart: a set with many ranges, and all others. */
export interface Parted {
  /** Where the set begins and ends, in turns. */
  readonly places: Uint32Array;
  /** Numbers that none of the other sets tells apart are of one class. */
  readonly others: Segments;
  /** The classes of each of those outside the set and inside it; undefined where no number is. */
  readonly both: readonly (readonly [number | undefined, number | undefined])[];
}

/** A tree for fewer ranges has its upper half in the cache. */
const LONG = 2 ** 16;

/** Undefined where no set is long. */
export function parted(segments: Segments): Parted | undefined {
  const long = longest(segments);
  if (long === undefined) return undefined;
  const { members, classes } = segments;
  const [starts] = segments.starts;
  const known = new Map<string, number>();
  const otherOf: number[] = [];
  const both: [number | undefined, number | undefined][] = [];
  const isIn = members.map((sets) => sets.includes(long));
  members.forEach((sets, found) => {
    const key = sets.filter((set) => set !== long).join();
    const other = known.get(key) ?? both.push([undefined, undefined]) - 1;
    known.set(key, other);
    otherOf[found] = other;
    const pair = both[other];
    if (pair) pair[isIn[found] ? 1 : 0] = found;
  });
  const places: number[] = [];
  const others: { readonly starts: number[]; readonly classes: number[] } = { starts: [], classes: [] };
  classes.forEach((found, segment) => {
    const start = starts?.[segment] ?? 0;
    if (isIn[found] !== (places.length % 2 === 1)) places.push(start);
    const other = otherOf[found] as number;
    if (others.classes.at(-1) === other) return;
    others.starts.push(start);
    others.classes.push(other);
  });
  return {
    places: Uint32Array.from(places),
    others: {
      starts: [Uint32Array.from(others.starts)],
      classes: Uint32Array.from(others.classes),
      members: both.map(() => []),
    },
    both,
  };
}

/** The set with the most ranges, if those are many. */
function longest({ classes, members }: Segments): number | undefined {
  if (classes.length < 2 * LONG) return undefined;
  const ranges = new Map<number, number>();
  let before: readonly number[] = [];
  for (const found of classes) {
    const sets = members[found] as readonly number[];
    for (const set of sets) if (!before.includes(set)) ranges.set(set, (ranges.get(set) ?? 0) + 1);
    before = sets;
  }
  const [most] = [...ranges].sort(([, a], [, b]) => b - a);
  return most && most[1] >= LONG ? most[0] : undefined;
}
