import { BitVectors } from "./bit-vectors.js";
import type { Addresses } from "./classifier.js";
import type { Step } from "./columns.js";
import { Effort } from "./effort.js";
import { askedBy, behind, type Lines, leftBy, linesOf, type Shape } from "./lines.js";
import { EVERYWHERE } from "./matrix.js";
import type { Transport } from "./question.js";
import { type Layout, layoutOf, type Run } from "./runs.js";

/** A conjunction of a condition whose value it is: packets from a set of addresses to another, of a shape. */
export interface VectorTerm {
  readonly value: number;
  readonly source: number;
  readonly destination: number;
  readonly shape: Shape;
}

/**
 * A stage whose terms ask for too many different things together to be tabled: each term is a bit, and whatever a packet is
 * asked, each class of answers has a vector of the terms that allow it. A term holds for a packet that has its bit in all.
 */
export interface Vectors {
  readonly kind: "vectors";
  readonly store: BitVectors;
  /** Class of source, or destination, addresses → vector. */
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
  readonly paths: readonly VectorPath[];
  /** Of every run the first term that holds counts, and of those the one with the smallest value. */
  readonly deciding: readonly Run[];
  /** All terms that hold count, in order. */
  readonly passing: Run | null;
  /** The value of each bit's term. */
  readonly values: readonly number[];
}

/** What packets with one transport header (null: with none that is asked for) are asked. */
export interface VectorPath {
  readonly transport: Transport | null;
  readonly blocks: readonly VectorBlock[];
}

/** A few questions that give one vector together. */
export interface VectorBlock {
  readonly steps: readonly Step[];
  /** The state behind the last step, or the one that there is without steps → vector. */
  readonly vectors: readonly number[];
}

export interface VectorInput extends Addresses {
  readonly deciding: readonly VectorTerm[];
  readonly passing: readonly VectorTerm[];
}

/** Terms of a stage, numbers of 32 bits that its vectors take, and vectors of a packet. */
const MOST_TERMS = 1 << 16;
const MOST_CELLS = 1 << 23;
const MOST_VECTORS = 32;
/** Steps to make them, two or three seconds. */
const MOST_EFFORT = 2 ** 30;

/** Undefined if there would be too many terms, or too many questions for a packet. */
export function vectorsOf(input: VectorInput): Vectors | undefined {
  const layout = layoutOf(input);
  const { terms, bits } = layout;
  if (bits > MOST_TERMS) return undefined;
  const store = new BitVectors(bits);
  const sources = addressVectors(store, layout, "source", input);
  const destinations = addressVectors(store, layout, "destination", input);
  const effort = new Effort(MOST_EFFORT);
  const lines = linesOf(store, terms, effort);
  if (!lines) return undefined;
  const transports = new Set(lines.each.flatMap(({ transport }) => transport ?? []));
  const paths: VectorPath[] = [];
  for (const transport of [...transports, null]) {
    const path = pathOf(lines, transport, effort);
    if (!path) return undefined;
    paths.push(path);
  }
  const vectors = 2 + paths.reduce((most, { blocks }) => Math.max(most, blocks.length), 0);
  if (store.cells > MOST_CELLS || vectors > MOST_VECTORS) return undefined;
  const { deciding, passing, values } = layout;
  return { kind: "vectors", store, sources, destinations, paths, deciding, passing, values };
}

function addressVectors(
  store: BitVectors,
  { terms }: Layout,
  end: "source" | "destination",
  { sources, destinations }: Addresses,
): readonly number[] {
  const ofSet = new Map<number, number[]>();
  for (const term of terms) push(ofSet, term[end], term.bit);
  const anywhere = store.toggled(store.nothing, ofSet.get(EVERYWHERE) ?? []);
  const { members } = end === "source" ? sources : destinations;
  return members.map((sets) =>
    store.toggled(
      anywhere,
      sets.flatMap((set) => ofSet.get(set) ?? []),
    ),
  );
}

function push(lists: Map<number, number[]>, key: number, bit: number): void {
  const known = lists.get(key);
  if (known) known.push(bit);
  else lists.set(key, [bit]);
}

/** States × classes of a step, and so vectors, of a block with more than one question. */
const MOST_STATES = 1024;
/** The same times pages of a vector: of long vectors fewer are worth their memory. */
const MOST_PAGES = 1 << 14;

function pathOf(lines: Lines, transport: Transport | null, effort: Effort): VectorPath | undefined {
  const { store, all } = lines;
  const blocks: VectorBlock[] = [];
  let block: VectorBlock = { steps: [], vectors: [leftBy(lines, transport)] };
  const most = Math.min(MOST_STATES, MOST_PAGES / store.length);
  const isAll = ({ steps, vectors }: VectorBlock) => steps.length === 0 && vectors[0] === all;
  for (const line of askedBy(lines, transport)) {
    if (!isAll(block) && block.vectors.length * line.vectors.length > most) {
      blocks.push(block);
      block = { steps: [], vectors: [all] };
    }
    const after = behind(store, block.vectors, line, effort);
    if (!after) return undefined;
    const { question, segments, absent, vectors } = line;
    const step = { question, segments, absent, classes: vectors.length, next: after.next };
    block = { steps: [...block.steps, step], vectors: after.vectors };
  }
  return { transport, blocks: isAll(block) ? blocks : [...blocks, block] };
}
