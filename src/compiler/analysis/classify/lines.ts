import { invariant } from "../../diagnostics/invariant.js";
import { HEADERS } from "../../ir/headers.js";
import type { Intervals } from "../../ir/intervals.js";
import type { BitVectors } from "./bit-vectors.js";
import type { Effort } from "./effort.js";
import { Interner } from "./interner.js";
import { type Question, type Transport, transportOf } from "./question.js";
import { type Classes, classIn, swept } from "./segments.js";
import type { Answer, Term } from "./terms.js";

/** What a conjunction asks besides addresses. */
export type Shape = Term["answers"];

/** A shape that is a bit of vectors. */
export interface ShapeBit {
  readonly shape: Shape;
  readonly bit: number;
}

/** A question, and what each class of its answers leaves possible. */
export interface Line {
  readonly question: Question;
  readonly transport: Transport | null;
  readonly segments: Classes;
  /** The class of packets that do not have the field. */
  readonly absent: number;
  /** Of each class, the vector of shapes that allow it; the last class may be of packets without the field only. */
  readonly vectors: readonly number[];
}

/** All questions of some shapes, as vectors in a store. */
export interface Lines {
  readonly store: BitVectors;
  /** The vector of all shapes. */
  readonly all: number;
  /** Those with the fewest classes first. */
  readonly each: readonly Line[];
}

/** Undefined if it takes more than the effort. */
export function linesOf(store: BitVectors, shapes: readonly ShapeBit[], effort: Effort): Lines | undefined {
  const all = store.toggled(
    store.nothing,
    shapes.map(({ bit }) => bit),
  );
  const each: Line[] = [];
  for (const { question, asking } of questionsOf(shapes)) {
    const line = lineOf({ store, all }, question, asking, effort);
    if (!line) return undefined;
    each.push(line);
  }
  each.sort((a, b) => a.vectors.length - b.vectors.length || (a.question.key < b.question.key ? -1 : 1));
  return { store, all, each };
}

interface Asking {
  readonly allowed: Answer["allowed"];
  readonly bit: number;
}

interface AskedQuestion {
  readonly question: Question;
  readonly asking: Asking[];
}

function questionsOf(shapes: readonly ShapeBit[]): Iterable<AskedQuestion> {
  const questions = new Map<string, AskedQuestion>();
  for (const { shape, bit } of shapes) {
    for (const [key, { question, allowed }] of shape) {
      const asked = questions.get(key) ?? { question, asking: [] };
      asked.asking.push({ allowed, bit });
      questions.set(key, asked);
    }
  }
  return questions.values();
}

/** What it costs to go over an end of a range, besides some steps for each page. */
const END = 512;
const END_PAGE = 4;

function lineOf(
  { store, all }: Pick<Lines, "store" | "all">,
  question: Question,
  asking: readonly Asking[],
  effort: Effort,
): Line | undefined {
  const answers = new Interner<Answer["allowed"]>(({ ranges, absent }) =>
    [absent, ...ranges.flatMap(({ low, high }) => [low, high])].join(),
  );
  const bits: number[][] = [];
  for (const { allowed, bit } of asking) {
    const answer = answers.add(allowed);
    const known = bits[answer] ?? [];
    known.push(bit);
    bits[answer] = known;
  }
  const sets: readonly Intervals[] = answers.all.map(({ ranges }) => ranges);
  const ends = sets.reduce((sum, { length }) => sum + 2 * length, 0);
  if (!effort.spend(ends * (END + END_PAGE * store.length))) return undefined;
  const others = store.toggled(all, bits.flat());
  const { starts, classes, states } = swept(sets, question.bits, others, (state, answer) =>
    store.toggled(state, bits[answer] ?? []),
  );
  const without = store.toggled(
    others,
    answers.all.flatMap(({ absent }, answer) => (absent ? (bits[answer] ?? []) : [])),
  );
  const vectors = states.includes(without) ? states : [...states, without];
  const absent = vectors.indexOf(without);
  return { question, transport: transportOf(question), segments: { starts, classes }, absent, vectors };
}

/** The questions that packets with the transport are asked: its own, and those of all packets but for the protocol, which it says. */
export function askedBy({ each }: Lines, transport: Transport | null): readonly Line[] {
  return each.filter(
    (line) => line.transport === transport || (line.transport === null && !isProtocol(line, transport)),
  );
}

/** What the transport alone leaves possible: nothing of another one is there, and the protocol is known. */
export function leftBy({ store, all, each }: Lines, transport: Transport | null): number {
  let left = all;
  for (const line of each) {
    const { absent, vectors, segments } = line;
    if (line.transport !== null && line.transport !== transport) {
      left = store.both(left, vectors[absent] as number);
    } else if (isProtocol(line, transport)) {
      left = store.both(left, vectors[classIn(segments, protocolOf(transport))] as number);
    }
  }
  return left;
}

function isProtocol({ question }: Line, transport: Transport | null): boolean {
  return transport !== null && question.kind === "field" && question.field.header === "proto";
}

function protocolOf(transport: Transport | null): number {
  const protocol = transport && HEADERS[transport].proto;
  invariant(protocol !== null, "a transport header has a protocol");
  return protocol;
}

/** States behind a question that some states are asked. */
export interface Behind {
  /** State × classes + class → number in `vectors`. */
  readonly next: Uint32Array;
  /** What is left possible in each state. */
  readonly vectors: readonly number[];
}

/** What it costs to meet two vectors, and two of their pages that have not met before. */
const MEETING = 16;
const PAGES_MEETING = 1024;

/** Undefined if it takes more than the effort. */
export function behind(
  store: BitVectors,
  states: readonly number[],
  line: Line,
  effort: Effort,
): Behind | undefined {
  const { vectors } = line;
  if (!effort.spend(states.length * vectors.length * (MEETING + PAGES_MEETING * store.length)))
    return undefined;
  const numbers = new Map<number, number>();
  const next = new Uint32Array(states.length * vectors.length);
  let at = 0;
  for (const state of states) {
    for (const vector of vectors) {
      const left = store.both(state, vector);
      const number = numbers.get(left) ?? numbers.size;
      numbers.set(left, number);
      next[at++] = number;
    }
  }
  return { next, vectors: [...numbers.keys()] };
}
