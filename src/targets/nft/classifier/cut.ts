import type { Ranges } from "../../../compiler/analysis/ranges.js";
import { invariant } from "../../../compiler/diagnostics/invariant.js";
import { Counts } from "./counts.js";
import type { Asked, Items } from "./items.js";

/** One way to tell packets apart: by a subject's value without its lowest bits. */
export interface Cut {
  readonly asked: Asked;
  readonly shift: number;
  /** For each set of values, the blocks of 2^shift values that it lies in; undefined: they are too many to name. */
  readonly blocks: readonly (readonly number[] | undefined)[];
}

/** A set that lies in more blocks is one that a packet with any value may be in. */
const MOST_BLOCKS = 16;

export function cutsOf(asked: readonly Asked[]): readonly Cut[] {
  return asked.flatMap((one) =>
    one.subject.shifts.map((shift) => ({
      asked: one,
      shift,
      blocks: one.values.map((ranges, index) => (index === 0 ? undefined : blocksOf(ranges, shift))),
    })),
  );
}

/** Each by its number; a set of many single values may lie in as many blocks. */
function blocksOf(ranges: Ranges, shift: number): readonly number[] | undefined {
  const most = Math.max(MOST_BLOCKS, ranges.length);
  const blocks: number[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const last = (ranges[at + 1] as number) >>> shift;
    let block = (ranges[at] as number) >>> shift;
    if (blocks.at(-1) === block) block++;
    if (blocks.length + last - block + 1 > most) return undefined;
    for (; block <= last; block++) blocks.push(block);
  }
  return blocks;
}

/**
 * What becomes of a list of items when packets are told apart. An item that lies in no block by name is wide. A packet from
 * a block meets the block's items and the wide ones before the last of them; what none of these decides comes back to the rest.
 */
export interface Division {
  readonly blocks: readonly Block[];
  /** What packets from no block meet, and those that come back. */
  readonly rest: Int32Array;
}

export interface Block {
  readonly block: number;
  readonly items: Int32Array;
  /** The list is all that the packet may meet. */
  readonly complete: boolean;
}

/** What a division would be, without making it. */
export interface Outlook {
  readonly cut: Cut;
  /** How many blocks have a list. */
  readonly blocks: number;
  /** Items in all of its lists. */
  readonly size: number;
  /** Items that a packet meets, aimed at one of the items by chance, in the list that it comes to. */
  readonly met: number;
  /** Items that lie in no block. */
  readonly wide: number;
}

/** undefined: nothing would be told apart. */
export function outlookOf(items: Int32Array, cut: Cut): Outlook | undefined {
  const named = namedBlocks(items, cut);
  if (named.blocks.length === 0) return undefined;
  const { blocks, places } = named;
  const spanning = new Counts(blocks.length);
  let [size, met, wide, rest] = [0, 0, 0, 0];
  for (const item of items) {
    const own = ownBlocks(item, cut);
    if (staysInRest(item, cut)) rest++;
    if (!own) {
      wide++;
      eachRun(item, cut, blocks, (from, to) => spanning.add(from, to));
      continue;
    }
    for (const block of own) {
      const place = placeOf(block, places);
      if (place.last !== item) continue;
      const length = place.count + spanning.at(place.index);
      size += length;
      met += place.share * length;
    }
  }
  return { cut, blocks: blocks.length, size: size + rest, met: (met + wide * rest) / items.length, wide };
}

/** The blocks that an item lies in by name; undefined: it is wide. */
export function ownBlocks(item: number, { asked, blocks }: Cut): readonly number[] | undefined {
  return asked.presence[item] === "never" ? undefined : blocks[asked.of[item] as number];
}

interface Place {
  index: number;
  /** How many items lie in the block by name. */
  count: number;
  /** How many of them, when an item in several blocks counts in parts. */
  share: number;
  last: number;
}

interface NamedBlocks {
  /** Ascending. */
  readonly blocks: Uint32Array;
  readonly places: ReadonlyMap<number, Place>;
}

function namedBlocks(items: Int32Array, cut: Cut): NamedBlocks {
  const places = new Map<number, Place>();
  for (const item of items) {
    const own = ownBlocks(item, cut) ?? [];
    for (const block of own) {
      const place = places.get(block);
      if (!place) places.set(block, { index: 0, count: 1, share: 1 / own.length, last: item });
      else {
        place.count++;
        place.share += 1 / own.length;
        place.last = item;
      }
    }
  }
  const blocks = Uint32Array.from(places.keys()).sort();
  blocks.forEach((block, index) => {
    placeOf(block, places).index = index;
  });
  return { blocks, places };
}

/** The named blocks that a wide item may be met in, by their indices. */
function eachSpan(item: number, cut: Cut, named: Uint32Array, visit: (index: number) => void): void {
  eachRun(item, cut, named, (from, to) => {
    for (let index = from; index < to; index++) visit(index);
  });
}

/** The same as runs, from index to before index. */
function eachRun(
  item: number,
  { asked, shift }: Cut,
  named: Uint32Array,
  visit: (from: number, to: number) => void,
): void {
  if (asked.presence[item] === "never") return;
  const ranges = asked.values[asked.of[item] as number] as Ranges;
  let done = 0;
  for (let at = 0; at < ranges.length && done < named.length; at += 2) {
    const from = Math.max(done, firstFrom(named, (ranges[at] as number) >>> shift));
    const to = firstFrom(named, ((ranges[at + 1] as number) >>> shift) + 1);
    if (from < to) visit(from, to);
    done = Math.max(done, to);
  }
}

/** The index of the first block that is not below `block`. */
function firstFrom(named: Uint32Array, block: number): number {
  let [low, high] = [0, named.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((named[middle] as number) < block) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function divide(items: Int32Array, cut: Cut, sorted: Items): Division {
  const named = namedBlocks(items, cut);
  const { blocks, places } = named;
  const lists = Array.from(blocks, (): number[] => []);
  const rest = items.filter((item) => staysInRest(item, cut));
  const finish = blocksToFinish(items, rest, cut, named, sorted);
  const comesBack = new Uint8Array(blocks.length);
  for (const item of items) {
    const own = ownBlocks(item, cut);
    for (const block of own ?? []) lists[placeOf(block, places).index]?.push(item);
    if (own) continue;
    eachSpan(item, cut, blocks, (index) => {
      const { last } = placeOf(blocks[index] as number, places);
      if (item < last || finish[index] === 1) lists[index]?.push(item);
      else comesBack[index] = 1;
    });
  }
  return {
    blocks: lists.map((list, index) => ({
      block: blocks[index] as number,
      items: Int32Array.from(list),
      complete: comesBack[index] === 0,
    })),
    rest,
  };
}

/**
 * The blocks from which packets must not come back: they have met a rule there that they go on from, and would meet it in
 * the rest once more.
 */
function blocksToFinish(
  items: Int32Array,
  rest: Int32Array,
  cut: Cut,
  { blocks, places }: NamedBlocks,
  { rules, goesOn }: Items,
): Uint8Array {
  const finish = new Uint8Array(blocks.length);
  const again = new Set(
    Array.from(
      rest.filter((item) => goesOn[item] === 1),
      (item) => rules[item],
    ),
  );
  for (const item of items) {
    if (!again.has(rules[item])) continue;
    const own = ownBlocks(item, cut);
    for (const block of own ?? []) finish[placeOf(block, places).index] = 1;
    if (own) continue;
    eachSpan(item, cut, blocks, (index) => {
      if (item < placeOf(blocks[index] as number, places).last) finish[index] = 1;
    });
  }
  return finish;
}

function staysInRest(item: number, cut: Cut): boolean {
  return !ownBlocks(item, cut) || cut.asked.presence[item] !== "always";
}

function placeOf(block: number, places: NamedBlocks["places"]): Place {
  const place = places.get(block);
  invariant(place, `block ${block} was named`);
  return place;
}
