import type { Segments } from "../../../compiler/analysis/classify/segments.js";
import { CELL, type Image, LINE } from "./image.js";

/**
 * How numbers of 32 bits are looked up: their highest bits in a table, then, where a part of the table's numbers is cut
 * further, in nodes of one cache line, seven places to cut at and eight ways to go on.
 */
export interface Tree {
  /** Place of the table. */
  readonly table: number;
  /** By which a number becomes an index of the table. */
  readonly shift: number;
}

const KEYS = 7;
const NODE = 1;
const BITS = 32;

/** A run of segments: from the segment `first` on, those that begin before `end`. */
interface Line {
  readonly starts: Uint32Array;
  /** What each segment is looked up for. */
  readonly found: Uint32Array;
}

export function addTree(image: Image, line: Line, tableBits: number): Tree {
  const shift = BITS - tableBits;
  const count = 2 ** tableBits;
  const table = image.reserve(count * CELL, LINE);
  let segment = 0;
  for (let index = 0; index < count; index++) {
    const end = (index + 1) * 2 ** shift;
    let last = segment;
    while (last + 1 < line.starts.length && (line.starts[last + 1] as number) < end) last++;
    image.set(table + index * CELL, addNode(image, line, segment, last));
    segment = last + 1 < line.starts.length && (line.starts[last + 1] as number) === end ? last + 1 : last;
  }
  return { table, shift };
}

/** Place of the node for the segments from `first` to `last`, marked as a node; one alone needs none. */
function addNode(image: Image, line: Line, first: number, last: number): number {
  if (first === last) return line.found[first] as number;
  const node = image.reserve(LINE, LINE);
  const segments = last - first + 1;
  const ways = Math.min(KEYS + 1, segments);
  for (let way = 0; way <= KEYS; way++) {
    const from = first + Math.floor((Math.min(way, ways - 1) * segments) / ways);
    const to = first + Math.floor(((Math.min(way, ways - 1) + 1) * segments) / ways) - 1;
    if (way > 0) image.set(node + (way - 1) * CELL, way < ways ? (line.starts[from] as number) : 0xffff_ffff);
    image.set(node + (KEYS + way) * CELL, way < ways ? addNode(image, line, from, to) : image.get(node + (KEYS + ways - 1) * CELL));
  }
  return node | NODE;
}

export function lineOf({ starts, classes }: Segments, placeOf: (found: number) => number): Line {
  return { starts: starts[0] as Uint32Array, found: classes.map(placeOf) };
}
