import type { Classes } from "../../../compiler/analysis/classify/segments.js";
import { CELL, type Image, LINE } from "./image.js";

/**
 * How numbers of 32 bits and more are looked up: their highest bits in a table, and where a part of the table's numbers is
 * cut further, the bits below in nodes of one cache line, nine places to cut at and ten ways to go on. The nine are 21
 * bits each, three in a word, so that one subtraction compares three: bpf-templates/classify.h.
 */
export interface Tree {
  /** Place of the table. */
  readonly table: number;
  /** How many bits of the first digit are below those that the table is for; with DIRECT, the table is one of nodes. */
  readonly below: number;
  /** Nodes on the longest way. */
  readonly depth: number;
}

/** Nodes that the program follows at most: TG_TREE6_STEPS in bpf-templates/classify.h. Of 32 bits no way is longer than 7. */
export const MOST_STEPS = 24;

/** Behind a large table a node is one more cache miss, so a large table is one of nodes itself. */
const DIRECT = 32;
const DIRECT_FROM = 2 ** 16;

const KEYS = 9;
const WAYS = KEYS + 1;
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
  readonly starts: ArrayLike<number>;
  readonly found: ArrayLike<number>;
}

/** `placeOf`: what numbers of a class are looked up for, a place. */
export function addTree(
  image: Image,
  { starts, classes }: Classes,
  placeOf: (found: number) => number,
): Tree {
  const line = { digits: digitsOf(starts), found: classes.map(placeOf) };
  const entries = entriesOf(image, line, { first: 0, end: classes.length, digit: 0, before: 0 });
  const isDirect = entries.starts.length >= DIRECT_FROM;
  const below = FIRST_DIGIT_BITS - tableBits(entries.starts, isDirect);
  const part = 2 ** below;
  const size = isDirect ? LINE : CELL;
  const table = image.reserve((2 ** FIRST_DIGIT_BITS / part) * size, LINE);
  for (let first = 0, low = 0; low < 2 ** FIRST_DIGIT_BITS; low += part) {
    let end = first + 1;
    while (end < entries.starts.length && (entries.starts[end] as number) < low + part) end++;
    const here = { ...entries, from: low };
    const place = table + (low / part) * size;
    if (isDirect) fillNode(image, place, here, first, end);
    else image.set(place, addNode(image, here, first, end));
    // What is in force at the part's end begins the next one, unless that starts with a cut of its own.
    first = entries.starts[end] === low + part ? end : end - 1;
  }
  const count = 2 ** (FIRST_DIGIT_BITS - below);
  let depth = 0;
  for (let index = 0; index < count; index++) {
    const place = table + index * size;
    depth = Math.max(depth, depthFrom(image, isDirect ? place | NODE : image.get(place)));
  }
  return { table, below: below | (isDirect ? DIRECT : 0), depth };
}

function depthFrom(image: Image, entry: number): number {
  if ((entry & NODE) === 0) return 0;
  const node = entry - (entry % LINE);
  let deepest = 0;
  for (let way = 0; way < WAYS; way++) {
    deepest = Math.max(deepest, depthFrom(image, image.get(node + KEYS_BYTES + way * CELL)));
  }
  return deepest + 1;
}

/** A table of nodes has one for about eight entries, as it has ten ways. Else memory is weighed against nodes on the way. */
function tableBits(starts: Entries["starts"], isDirect: boolean): number {
  if (starts.length === 1) return 1;
  const fewest = FIRST_DIGIT_BITS - KEY_BITS;
  if (isDirect) return Math.min(20, Math.max(fewest, Math.ceil(Math.log2(starts.length)) - 3));
  let [best, least] = [fewest, Number.POSITIVE_INFINITY];
  for (let bits = fewest; bits <= 16; bits++) {
    const cost = nodesOnTheWay(starts, 2 ** (FIRST_DIGIT_BITS - bits)) + 2 ** (bits - LARGE_TABLE);
    if (cost < least) [best, least] = [bits, cost];
  }
  return best;
}

/** Bits of a table that is as bad as one node more. */
const LARGE_TABLE = 17;

/** The mean over entries, in a tree whose table is for parts of the size. */
function nodesOnTheWay(starts: Entries["starts"], part: number): number {
  let nodes = 0;
  for (let at = 0; at < starts.length; ) {
    const index = Math.floor((starts[at] as number) / part);
    let end = at;
    while (end < starts.length && Math.floor((starts[end] as number) / part) === index) end++;
    // What was in force before is one entry more.
    nodes += (end - at) * Math.ceil(Math.log10(end - at + 1));
    at = end;
  }
  return nodes / starts.length;
}

/** The 96 bits behind the first digit, and four more, are five digits. */
function digitsOf([first, ...rest]: Classes["starts"]): readonly Uint32Array[] {
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
  if (line.digits.length === 1) return { starts: digits, found: line.found };
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
    entries.set(start, addNode(image, { ...inner, from: 0 }, 0, inner.starts.length) | NEXT);
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

/** Keys are counted from `from` on. */
interface Part extends Entries {
  readonly from: number;
}

/**
 * Place of the node for what starts from `first` on and before `end`, marked as a node; one alone needs none. The ways of a
 * node go to full nodes, but for the last.
 */
function addNode(image: Image, part: Part, first: number, end: number): number {
  if (end - first === 1) return part.found[first] as number;
  const node = image.reserve(LINE, LINE);
  fillNode(image, node, part, first, end);
  return node | NODE;
}

function fillNode(image: Image, node: number, part: Part, first: number, end: number): void {
  const count = end - first;
  let each = 1;
  while (each * WAYS < count) each *= WAYS;
  const ways = Math.ceil(count / each);
  const keys: number[] = [];
  for (let way = 0; way < ways; way++) {
    const begin = first + way * each;
    if (way > 0) keys.push((part.starts[begin] as number) - part.from);
    // Ways are counted by the keys above the number.
    const place = node + KEYS_BYTES + (ways - 1 - way) * CELL;
    image.set(place, addNode(image, part, begin, Math.min(begin + each, end)));
  }
  packed(keys).forEach((cell, index) => {
    image.set(node + index * CELL, cell);
  });
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
