import type { Intervals } from "../../ir/intervals.js";
import { Interner } from "./interner.js";

/** A line of numbers in segments, each of a class. */
export interface Classes {
  /** Where segments start, sorted; the first at 0. Of numbers wider than 32 bits, 32 bits each, the most significant first. */
  readonly starts: readonly Uint32Array[];
  /** The class of each segment; neighbours differ. */
  readonly classes: Uint32Array;
}

/**
 * A line of numbers, cut wherever one of some sets begins or ends. Numbers between the same sets are of one class: no
 * question about the sets tells them apart.
 */
export interface Segments extends Classes {
  /** The sets, as sorted indexes, that hold the numbers of each class. */
  readonly members: readonly (readonly number[])[];
}

const CHUNK_BITS = 32;

export function segmentsOf(sets: readonly Intervals[], bits: number): Segments {
  const states = new Interner<readonly number[]>((members) => members.join());
  const passed = (state: number, set: number) => states.add(toggle(states.at(state), set));
  const { starts, classes, states: found } = swept(sets, bits, states.add([]), passed);
  return { starts, classes, members: found.map((state) => states.at(state)) };
}

/** Classes of numbers, and the state that a sweep along the line is in at each. */
export interface Swept extends Classes {
  readonly states: readonly number[];
}

/**
 * Goes along the line. `passed` is the state behind a place where the set begins or ends, equal for equal arguments and
 * whatever the order; numbers in one state are one class.
 */
export function swept(
  sets: readonly Intervals[],
  bits: number,
  start: number,
  passed: (state: number, set: number) => number,
): Swept {
  const line = bits <= CHUNK_BITS ? shortLine(sets, bits) : longLine(sets);
  const changes = line.changes.sort();
  const known = new Map<number, number>();
  const places: number[] = [];
  const found: number[] = [];
  let state = start;
  let at = 0;
  for (let place = 0; ; ) {
    for (; at < changes.length && placeOf(changes, at, sets.length) === place; at++) {
      const set = (changes[at] as number) % sets.length;
      const step = state * sets.length + set;
      const next = known.get(step) ?? passed(state, set);
      known.set(step, next);
      state = next;
    }
    if (found.at(-1) !== state) {
      places.push(place);
      found.push(state);
    }
    if (at >= changes.length) break;
    place = placeOf(changes, at, sets.length);
  }
  return numbered(line.startsAt(places), found);
}

/** Only states that some numbers are in become classes, in the order in which they first occur. */
function numbered(starts: readonly Uint32Array[], found: readonly number[]): Swept {
  const classOf = new Map<number, number>();
  const classes = Uint32Array.from(found, (state) => {
    const known = classOf.get(state) ?? classOf.size;
    classOf.set(state, known);
    return known;
  });
  return { starts, classes, states: [...classOf.keys()] };
}

/** The class of a number of up to 32 bits. */
export function classIn({ starts: [starts], classes }: Classes, value: number): number {
  let [low, high] = [0, classes.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts?.[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return classes[low] as number;
}

function toggle(members: readonly number[], set: number): readonly number[] {
  const place = members.findIndex((member) => member >= set);
  if (place < 0) return [...members, set];
  return members[place] === set ? members.toSpliced(place, 1) : members.toSpliced(place, 0, set);
}

/** Where sets begin or end: each as place × number of sets + set, exact in a double. */
interface Line {
  readonly changes: Float64Array;
  startsAt(places: readonly number[]): readonly Uint32Array[];
}

function placeOf(changes: Float64Array, at: number, sets: number): number {
  return Math.floor((changes[at] as number) / sets);
}

/** Numbers of up to 32 bits are their own places. */
function shortLine(sets: readonly Intervals[], bits: number): Line {
  const last = 2 ** bits - 1;
  const changes = new Float64Array(2 * lengthOf(sets));
  let length = 0;
  sets.forEach((ranges, set) => {
    for (const { low, high } of ranges) {
      changes[length++] = Number(low) * sets.length + set;
      if (Number(high) < last) changes[length++] = (Number(high) + 1) * sets.length + set;
    }
  });
  return { changes: changes.subarray(0, length), startsAt: (places) => [Uint32Array.from(places)] };
}

/** Longer ones go by their number among all places. */
function longLine(sets: readonly Intervals[]): Line {
  const all = new Set<bigint>([0n]);
  for (const ranges of sets) {
    for (const { low, high } of ranges) all.add(low).add(high + 1n);
  }
  const sorted = [...all].sort((a, b) => (a < b ? -1 : 1));
  const indexOf = new Map(sorted.map((place, index) => [place, index]));
  const changes = new Float64Array(2 * lengthOf(sets));
  let length = 0;
  sets.forEach((ranges, set) => {
    for (const { low, high } of ranges) {
      changes[length++] = (indexOf.get(low) as number) * sets.length + set;
      if (high + 1n < END_OF_IPV6) changes[length++] = (indexOf.get(high + 1n) as number) * sets.length + set;
    }
  });
  const chunk = (place: number, shift: bigint) => Number(((sorted[place] as bigint) >> shift) & 0xffff_ffffn);
  return {
    changes: changes.subarray(0, length),
    startsAt: (places) =>
      [96n, 64n, 32n, 0n].map((shift) => Uint32Array.from(places, (place) => chunk(place, shift))),
  };
}

const END_OF_IPV6 = 1n << 128n;

function lengthOf(sets: readonly Intervals[]): number {
  return sets.reduce((sum, ranges) => sum + ranges.length, 0);
}
