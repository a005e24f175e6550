import { BitVectors } from "./bit-vectors.js";
import { type Bits, bitsFor, setBit } from "./bits.js";
import type { Effort } from "./effort.js";
import { askedBy, behind, type Lines, leftBy, linesOf, type Shape } from "./lines.js";
import type { Question, Transport } from "./question.js";
import type { Classes } from "./segments.js";

/** One question of a path, and where its answers lead. */
export interface Step {
  readonly question: Question;
  readonly segments: Classes;
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

/** Entries of the `next` tables of all paths. */
const MAX_CELLS = 1 << 20;

/** Undefined if the tables would be too large, or take more than the effort to make. */
export function columnsOf(shapes: readonly Shape[], effort: Effort): Columns | undefined {
  const store = new BitVectors(shapes.length);
  const lines = linesOf(
    store,
    shapes.map((shape, bit) => ({ shape, bit })),
    effort,
  );
  if (!lines) return undefined;
  const columns = new Map<number, number>();
  const transports = new Set(lines.each.flatMap(({ transport }) => transport ?? []));
  const paths: Path[] = [];
  let cells = 0;
  for (const transport of [...transports, null]) {
    const path = walk(lines, { transport, columns, most: MAX_CELLS - cells, effort });
    if (!path) return undefined;
    cells += path.steps.reduce((sum, { next }) => sum + next.length, 0);
    paths.push(path);
  }
  if (!effort.spend(columns.size * shapes.length)) return undefined;
  return { paths, count: columns.size, ofShape: shapesIn([...columns.keys()], store, shapes.length) };
}

/** The columns whose vectors have each shape. */
function shapesIn(columns: readonly number[], store: BitVectors, count: number): readonly Bits[] {
  const having = Array.from({ length: count }, () => bitsFor(columns.length));
  columns.forEach((vector, column) => {
    for (const shape of store.bitsOf(vector)) setBit(having[shape] as Bits, column);
  });
  return having;
}

interface Walk {
  readonly transport: Transport | null;
  /** Number of each vector that is a column. */
  readonly columns: Map<number, number>;
  /** Entries of tables. */
  readonly most: number;
  readonly effort: Effort;
}

/** Every state that packets with this transport can reach: a state is the set of shapes that are still possible. */
function walk(lines: Lines, { transport, columns, most, effort }: Walk): Path | undefined {
  const { store } = lines;
  const numbered = (vector: number) => {
    const column = columns.get(vector) ?? columns.size;
    columns.set(vector, column);
    return column;
  };
  let states: readonly number[] = [leftBy(lines, transport)];
  let left = most;
  const steps: Step[] = [];
  for (const line of askedBy(lines, transport)) {
    const { question, segments, absent, vectors } = line;
    left -= states.length * vectors.length;
    const after = left < 0 ? undefined : behind(store, states, line, effort);
    if (!after) return undefined;
    steps.push({ question, segments, absent, classes: vectors.length, next: after.next });
    states = after.vectors;
  }
  const ends = Uint32Array.from(states, numbered);
  const last = steps.pop();
  if (!last) return { transport, steps, states: 1, columns: ends };
  const next = last.next.map((state) => ends[state] as number);
  steps.push({ ...last, next });
  return { transport, steps, states: next.length / last.classes, columns: next };
}
