import type { Segments } from "../../../compiler/analysis/classify/segments.js";
import { CELL, type Image, LINE } from "./image.js";

/**
 * How numbers of 32 bits and more are looked up: their highest bits in a table, and where a part of the table's numbers is
 * cut further, the bits below in nodes of one cache line, nine places to cut at and ten ways to go on. The nine are 21
 * bits each, three in a word, so that one subtraction compares three: bpf-templates/classify.h.
 */
export interface Tree {
  /** Place of the table. */
  readonly table: number;
  /** How many bits of the first digit are below those that the table is for. */
  readonly below: number;
}

const KEYS = 9;
const KEYS_BYTES = 24;
/** Bits of a key, and so of a digit that nodes look at. */
const KEY_BITS = 20;
const FIRST_DIGIT_BITS = 32;
/** An entry that is the place of a node, and one whose node is for the next digit. */
const NODE = 1;
const NEXT = 2;

/** Numbers as digits, the first of 32 bits and the others of 20; what begins at each of them, in order. */
interface Line {
  readonly digits: readonly Uint32Array[];
  readonly found: Uint32Array;
}

/** Entries of one digit: each is for the numbers from its start on. */
interface Entries {
  readonly starts: readonly number[];
  readonly found: readonly number[];
}

/** `placeOf`: what numbers of a class are looked up for, a place. */
export function addTree(
  image: Image,
  { starts, classes }: Segments,
  placeOf: (found: number) => number,
): Tree {
  const line = { digits: digitsOf(starts), found: classes.map(placeOf) };
  const entries = entriesOf(image, line, { first: 0, end: classes.length, digit: 0, before: 0 });
  const below = FIRST_DIGIT_BITS - tableBits(entries.starts.length);
  const part = 2 ** below;
  const table = image.reserve((2 ** FIRST_DIGIT_BITS / part) * CELL, LINE);
  for (let at = 0, low = 0; low < 2 ** FIRST_DIGIT_BITS; low += part) {
    const here: { starts: number[]; found: number[] } = { starts: [0], found: [] };
    while (at + 1 < entries.starts.length && (entries.starts[at + 1] as number) <= low) at++;
    here.found.push(entries.found[at] as number);
    for (; at + 1 < entries.starts.length && (entries.starts[at + 1] as number) < low + part; at++) {
      here.starts.push((entries.starts[at + 1] as number) - low);
      here.found.push(entries.found[at + 1] as number);
    }
    image.set(table + (low / part) * CELL, addNode(image, here, 0, here.starts.length));
  }
  return { table, below };
}

/** A table of about four entries for each that is cut; the nodes' keys must hold the rest. */
function tableBits(entries: number): number {
  if (entries === 1) return 1;
  return Math.max(FIRST_DIGIT_BITS - KEY_BITS, Math.min(16, Math.ceil(Math.log2(entries)) + 2));
}

/** The 96 bits behind the first digit, and four more, are five digits. */
function digitsOf([first, ...rest]: Segments["starts"]): readonly Uint32Array[] {
  const count = first?.length ?? 0;
  const digits = [first ?? new Uint32Array(0)];
  for (let digit = 0; digit * KEY_BITS < rest.length * FIRST_DIGIT_BITS; digit++) {
    digits.push(Uint32Array.from({ length: count }, (_, at) => digitAt(rest, at, digit * KEY_BITS)));
  }
  return digits;
}

function digitAt(chunks: readonly Uint32Array[], at: number, bit: number): number {
  const chunk = Math.floor(bit / FIRST_DIGIT_BITS);
  const word = (index: number) => BigInt(chunks[index]?.[at] ?? 0);
  const both = (word(chunk) << 32n) | word(chunk + 1);
  return Number((both >> BigInt(64 - (bit % FIRST_DIGIT_BITS) - KEY_BITS)) & 0xf_ffffn);
}

interface Run {
  /** Segments that agree in the digits before `digit`. */
  readonly first: number;
  readonly end: number;
  readonly digit: number;
  /** What numbers before the first segment are looked up for. */
  readonly before: number;
}

function entriesOf(image: Image, line: Line, run: Run): Entries {
  const { first, end, digit } = run;
  const digits = line.digits[digit] as Uint32Array;
  const entries = new Map<number, number>();
  if (digits[first] !== 0) entries.set(0, run.before);
  for (let from = first, to = first; from < end; from = to) {
    const start = digits[from] as number;
    while (to < end && digits[to] === start) to++;
    const last = line.found[to - 1] as number;
    if (to - from === 1 && endsHere(line, from, digit)) {
      entries.set(start, last);
      continue;
    }
    const before = from === first ? run.before : (line.found[from - 1] as number);
    const inner = entriesOf(image, line, { first: from, end: to, digit: digit + 1, before });
    entries.set(start, addNode(image, inner, 0, inner.starts.length) | NEXT);
    if (start + 1 < sizeOf(digit)) entries.set(start + 1, last);
  }
  return { starts: [...entries.keys()], found: [...entries.values()] };
}

function sizeOf(digit: number): number {
  return 2 ** (digit === 0 ? FIRST_DIGIT_BITS : KEY_BITS);
}

/** All digits behind are 0. */
function endsHere({ digits }: Line, at: number, digit: number): boolean {
  return digits.slice(digit + 1).every((one) => one[at] === 0);
}

/** Place of the node for what starts from `first` on and before `end`, marked as a node; one alone needs none. */
function addNode(image: Image, entries: Entries, first: number, end: number): number {
  const count = end - first;
  if (count === 1) return entries.found[first] as number;
  const node = image.reserve(LINE, LINE);
  const ways = Math.min(KEYS + 1, count);
  const begin = (way: number) => first + Math.floor((way * count) / ways);
  const keys: number[] = [];
  for (let way = 0; way < ways; way++) {
    if (way > 0) keys.push(entries.starts[begin(way)] as number);
    // Ways are counted by the keys above the number.
    const place = node + KEYS_BYTES + (ways - 1 - way) * CELL;
    image.set(place, addNode(image, entries, begin(way), begin(way + 1)));
  }
  packed(keys).forEach((cell, index) => {
    image.set(node + index * CELL, cell);
  });
  return node | NODE;
}

/** Three keys a word, each with a bit above it. Keys that are not there are 0, and so never above a number. */
function packed(keys: readonly number[]): readonly number[] {
  const cells: number[] = [];
  for (let word = 0; word < KEYS; word += 3) {
    let three = 0n;
    for (const lane of [0, 1, 2]) {
      const key = BigInt(keys[word + lane] ?? 0) | (1n << BigInt(KEY_BITS));
      three |= key << BigInt(lane * (KEY_BITS + 1));
    }
    cells.push(Number(three & 0xffff_ffffn), Number(three >> 32n));
  }
  return cells;
}
