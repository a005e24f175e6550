import { invariant } from "../../diagnostics/invariant.js";
import { HEADERS } from "../../ir/headers.js";
import { type Bits, bitsFor, hasBit, intersectBits, keyOfBits, setBit } from "./bits.js";
import { Interner } from "./interner.js";
import { type Question, type Transport, transportOf } from "./question.js";
import { classIn, type Segments, segmentsOf } from "./segments.js";
import type { Answer, Term } from "./terms.js";

/** What a term asks besides addresses. */
export type Shape = Term["answers"];

/** One question of a path, and where its answers lead. */
export interface Step {
  readonly question: Question;
  readonly segments: Segments;
  /** The class of packets that do not have the field. */
  readonly absent: number;
  readonly classes: number;
  /** State × classes + class → the state before the next step; behind the last step, the column. */
  readonly next: Uint32Array;
}

/** What packets with one transport header (null: with none that is asked for) are asked, one after the other. */
export interface Path {
  readonly transport: Transport | null;
  readonly steps: readonly Step[];
  /** The states before the last step, or the one of a path without steps. */
  readonly states: number;
  /** State before the last step × classes of the last step + class → column. */
  readonly columns: Uint32Array;
}

/** Everything that shapes ask of packets, as columns: no shape tells the packets of a column apart. */
export interface Columns {
  readonly paths: readonly Path[];
  readonly count: number;
  /** The columns whose packets each shape holds for, in the shapes' order. */
  readonly ofShape: readonly Bits[];
}

/** Entries of the `next` tables of all paths, and words of what the shapes are told apart by. */
const MAX_CELLS = 1 << 20;
const MAX_WORDS = 1 << 26;

/** Undefined if the tables would be too large. */
export function columnsOf(shapes: readonly Shape[]): Columns | undefined {
  const asked = questionsOf(shapes);
  const found = new Interner<Bits>(keyOfBits);
  const transports = new Set(asked.flatMap(({ transport }) => transport ?? []));
  const paths: Path[] = [];
  let cells = 0;
  for (const transport of [...transports, null]) {
    const most = Math.min(MAX_CELLS, Math.floor((MAX_WORDS * 32) / shapes.length));
    const path = walk(shapes, asked, transport, found, most - cells);
    if (!path) return undefined;
    cells += path.steps.reduce((sum, { next }) => sum + next.length, 0);
    paths.push(path);
  }
  return { paths, count: found.size, ofShape: shapes.map((_, shape) => columnsWith(found.all, shape)) };
}

function columnsWith(columns: readonly Bits[], shape: number): Bits {
  const having = bitsFor(columns.length);
  columns.forEach((alive, column) => {
    if (hasBit(alive, shape)) setBit(having, column);
  });
  return having;
}

interface Asked {
  readonly question: Question;
  readonly transport: Transport | null;
  readonly segments: Segments;
  readonly absent: number;
  readonly classes: number;
  /** The shapes that each class leaves possible. */
  readonly leaves: readonly Bits[];
}

/** Every question of the shapes, those with the fewest classes first. */
function questionsOf(shapes: readonly Shape[]): readonly Asked[] {
  const questions = new Map<string, Question>();
  for (const shape of shapes) {
    for (const [key, { question }] of shape) questions.set(key, question);
  }
  return [...questions.values()]
    .map((question) => askedOf(question, shapes))
    .sort((a, b) => a.classes - b.classes || (a.question.key < b.question.key ? -1 : 1));
}

function askedOf(question: Question, shapes: readonly Shape[]): Asked {
  const answers = new Interner<Answer["allowed"]>(({ ranges, absent }) =>
    [absent, ...ranges.flatMap(({ low, high }) => [low, high])].join(),
  );
  const answerOf = shapes.map((shape) => {
    const answer = shape.get(question.key);
    return answer ? answers.add(answer.allowed) : ANY;
  });
  const segments = segmentsOf(
    answers.all.map(({ ranges }) => ranges),
    question.bits,
  );
  const withoutField = answers.all.flatMap(({ absent }, index) => (absent ? [index] : []));
  const members = [...segments.members];
  let absent = members.findIndex((member) => member.join() === withoutField.join());
  if (absent < 0) absent = members.push(withoutField) - 1;
  const leaves = members.map((member) => shapesLeft(answerOf, new Set(member)));
  return { question, transport: transportOf(question), segments, absent, classes: members.length, leaves };
}

const ANY = -1;

function shapesLeft(answerOf: readonly number[], allowed: ReadonlySet<number>): Bits {
  const left = bitsFor(answerOf.length);
  answerOf.forEach((answer, shape) => {
    if (answer === ANY || allowed.has(answer)) setBit(left, shape);
  });
  return left;
}

function isProtocol({ question }: Asked, transport: Transport | null): boolean {
  return transport !== null && question.kind === "field" && question.field.header === "proto";
}

function protocolOf(transport: Transport | null): number {
  const protocol = transport && HEADERS[transport].proto;
  invariant(protocol !== null, "a transport header has a protocol");
  return protocol;
}

/** Every state that packets with this transport can reach: a state is the set of shapes that are still possible. */
function walk(
  shapes: readonly Shape[],
  asked: readonly Asked[],
  transport: Transport | null,
  columns: Interner<Bits>,
  budget: number,
): Path | undefined {
  const mine = asked.filter(
    (one) => one.transport === transport || (one.transport === null && !isProtocol(one, transport)),
  );
  const others = asked.filter((one) => one.transport !== null && one.transport !== transport);
  let start = bitsFor(shapes.length);
  shapes.forEach((_, shape) => {
    setBit(start, shape);
  });
  // Nothing of another transport is there, and the transport says the protocol.
  for (const { leaves, absent } of others) start = intersectBits(start, leaves[absent] as Bits);
  for (const one of asked.filter((other) => isProtocol(other, transport))) {
    start = intersectBits(start, one.leaves[classIn(one.segments, protocolOf(transport))] as Bits);
  }
  let states: readonly Bits[] = [start];
  let left = budget;
  const steps: Step[] = [];
  for (const [index, one] of mine.entries()) {
    left -= states.length * one.classes;
    if (left < 0) return undefined;
    const after = index === mine.length - 1 ? columns : new Interner<Bits>(keyOfBits);
    const next = states.flatMap((state) =>
      one.leaves.map((leaves) => after.add(intersectBits(state, leaves))),
    );
    const { question, segments, absent, classes } = one;
    steps.push({ question, segments, absent, classes, next: Uint32Array.from(next) });
    states = after.all;
  }
  const last = steps.at(-1);
  if (!last) return { transport, steps, states: 1, columns: Uint32Array.of(columns.add(start)) };
  return { transport, steps, states: last.next.length / last.classes, columns: last.next };
}
