import { invariant } from "../../diagnostics/invariant.js";
import { ADDRESS_BITS, type Family } from "../../ir/address.js";
import { type Expr, testsOf } from "../../ir/expr.js";
import type { AddressFieldName } from "../../ir/fields.js";
import type { Intervals } from "../../ir/intervals.js";
import type { AddressList } from "../../ir/policy.js";
import { hasBit, uniteBits } from "./bits.js";
import { type Columns, columnsOf } from "./columns.js";
import { Effort } from "./effort.js";
import { Interner } from "./interner.js";
import { layersOf } from "./layers.js";
import type { Shape } from "./lines.js";
import {
  type Entry,
  EVERYWHERE,
  firstMatch,
  type Matrix,
  type MatrixInput,
  type Meaning,
  matrixOf,
} from "./matrix.js";
import { HOLDS } from "./question.js";
import { type Segments, segmentsOf } from "./segments.js";
import { type Term, termsOf } from "./terms.js";
import { type Vectors, type VectorTerm, vectorsOf } from "./vectors.js";

/** Packets that `match` holds for have the value, unless a condition before it has them. */
export interface Condition {
  readonly match: Expr;
  readonly value: number;
}

/** What one stage asks. Values grow: of two conditions, the one with the smaller value comes first. */
export interface Questions {
  /** The first that holds decides. */
  readonly decides: readonly Condition[];
  /** All that hold before the one that decides are heard, in order. */
  readonly passes: readonly Condition[];
}

/** Nothing holds. */
export const NONE = 0xffff_ffff;

/** How packets of one family are told apart. */
export interface Classifier {
  readonly family: Family;
  readonly sources: Segments;
  readonly destinations: Segments;
  /** In the order of the questions. */
  readonly stages: readonly ClassifiedStage[];
}

/** By tables where they have room, else by vectors, which take a packet longer and always have it. */
export type ClassifiedStage = TableStage | Vectors;

export interface TableStage {
  readonly kind: "tables";
  readonly columns: Columns;
  /** The smallest value that one of them gives decides. */
  readonly deciding: readonly Matrix[];
  /** Gives an index of `sequences`, or NONE. */
  readonly passing: Matrix | null;
  readonly sequences: readonly (readonly number[])[];
}

const MAX_TERMS = 64;

/**
 * Steps that the tables of a stage may take to make, by its conditions: about a second, and of ten thousand rules, which
 * are worth waiting for, a few seconds.
 */
export function tableEffort(conditions: number): number {
  return Math.max(2 ** 28, conditions * 2 ** 17);
}

export function classifierOf(
  stages: readonly Questions[],
  family: Family,
  lists: readonly AddressList[],
  effortFor = tableEffort,
): Classifier | undefined {
  const sets = new Sets();
  const lowered = stages.map((stage) => lowerStage(stage, family, lists, sets));
  const sources = segmentsOf(sets.of("ip.src"), ADDRESS_BITS[family]);
  const destinations = segmentsOf(sets.of("ip.dst"), ADDRESS_BITS[family]);
  const built: ClassifiedStage[] = [];
  for (const stage of lowered) {
    const addresses = { sources, destinations, sets };
    if (!stage) return undefined;
    const effort = new Effort(effortFor(stage.decides.length + stage.passes.length));
    const one = tablesOf(stage, addresses, effort) ?? vectorsFor(stage, addresses);
    if (!one) return undefined;
    built.push(one);
  }
  return { family, sources, destinations, stages: built };
}

/** A condition on two addresses and a shape that is a union of conjunctions. */
interface Lowered {
  readonly value: number;
  readonly source: number;
  readonly destination: number;
  readonly shapes: readonly number[];
}

interface LoweredStage {
  readonly shapes: readonly Shape[];
  readonly decides: readonly Lowered[];
  readonly passes: readonly Lowered[];
}

function lowerStage(
  { decides, passes }: Questions,
  family: Family,
  lists: readonly AddressList[],
  sets: Sets,
): LoweredStage | undefined {
  const shapes = new Interner<Shape>(keyOfShape);
  const lowered = (conditions: readonly Condition[]) => {
    const all: Lowered[] = [];
    for (const { match, value } of conditions) {
      const terms = termsOf(match, { family, lists, most: MAX_TERMS }) ?? asWhole(match, value);
      if (!terms) return undefined;
      all.push(...byAddresses(terms, sets, shapes).map((one) => ({ value, ...one })));
    }
    return all;
  };
  const [deciding, passing] = [lowered(decides), lowered(passes)];
  return deciding && passing && { shapes: shapes.all, decides: deciding, passes: passing };
}

/** A condition that is asked as one question; undefined where it asks for what is not in the packet. */
function asWhole(match: Expr, value: number): readonly Term[] | undefined {
  if (testsOf(match).some((test) => test.kind === "list" || test.needs.header === "ct")) return undefined;
  const question = { kind: "condition", key: `condition ${value}`, bits: 1, match } as const;
  return [{ addresses: new Map(), answers: new Map([[question.key, { question, allowed: HOLDS }]]) }];
}

function keyOfShape(shape: Shape): string {
  return [...shape.values()]
    .map(({ question, allowed }) => {
      const ranges = allowed.ranges.map(({ low, high }) => `${low}-${high}`);
      return `${question.key}=${allowed.absent ? "absent," : ""}${ranges.join()}`;
    })
    .sort()
    .join(";");
}

/** Terms that differ only in what they ask besides addresses become one. */
function byAddresses(
  terms: readonly Term[],
  sets: Sets,
  shapes: Interner<Shape>,
): readonly Omit<Lowered, "value">[] {
  const found = new Map<string, { source: number; destination: number; shapes: Set<number> }>();
  for (const { addresses, answers } of terms) {
    const source = sets.add("ip.src", addresses.get("ip.src"));
    const destination = sets.add("ip.dst", addresses.get("ip.dst"));
    const key = `${source},${destination}`;
    const known = found.get(key) ?? { source, destination, shapes: new Set<number>() };
    known.shapes.add(shapes.add(answers));
    found.set(key, known);
  }
  return [...found.values()].map((one) => ({ ...one, shapes: [...one.shapes].sort((a, b) => a - b) }));
}

/** The sets of addresses that conditions ask for. */
export class Sets {
  readonly #sets: Readonly<Record<AddressFieldName, Intervals[]>> = { "ip.src": [], "ip.dst": [] };
  readonly #byKey = new Map<string, number>();
  readonly #byIdentity = { "ip.src": new Map<Intervals, number>(), "ip.dst": new Map<Intervals, number>() };

  of(field: AddressFieldName): readonly Intervals[] {
    return this.#sets[field];
  }

  add(field: AddressFieldName, set: Intervals | undefined): number {
    if (!set) return EVERYWHERE;
    const known = this.#byIdentity[field].get(set);
    if (known !== undefined) return known;
    const index = set.length > LONG ? this.#push(field, set) : this.#find(field, set);
    this.#byIdentity[field].set(set, index);
    return index;
  }

  #find(field: AddressFieldName, set: Intervals): number {
    const key = `${field}:${set.map(({ low, high }) => `${low}-${high}`).join()}`;
    const index = this.#byKey.get(key) ?? this.#push(field, set);
    this.#byKey.set(key, index);
    return index;
  }

  #push(field: AddressFieldName, set: Intervals): number {
    return this.#sets[field].push(set) - 1;
  }
}

/** Sets with more ranges than this are told apart by identity: a list is one object wherever it is asked for. */
const LONG = 64;

export interface Addresses {
  readonly sources: Segments;
  readonly destinations: Segments;
  readonly sets: Sets;
}

/** Terms of a stage, each by itself. */
function vectorsFor({ shapes, decides, passes }: LoweredStage, addresses: Addresses): Vectors | undefined {
  const terms = (lowered: readonly Lowered[]): readonly VectorTerm[] =>
    lowered.flatMap(({ value, source, destination, shapes: some }) =>
      some.map((shape) => ({ value, source, destination, shape: shapes[shape] as Shape })),
    );
  return vectorsOf({ ...addresses, deciding: terms(decides), passing: terms(passes) });
}

function tablesOf(
  { shapes, decides, passes }: LoweredStage,
  addresses: Addresses,
  effort: Effort,
): TableStage | undefined {
  const columns = columnsOf(shapes, effort);
  if (!columns || !effort.spend((decides.length + passes.length) * (columns.count / 32))) return undefined;
  const entries = (lowered: readonly Lowered[]) => entriesOf(lowered, columns);
  const meaning = firstMatch(columns.count, NONE);
  const layers = layersOf(entries(decides), addresses, effort);
  const deciding: Matrix[] = [];
  for (const layer of layers ?? []) {
    const matrix = matrixOf({
      ...addresses,
      entries: layer,
      columns: columns.count,
      meaning,
      most: MAX_WORK,
      effort,
    });
    if (!matrix) return undefined;
    deciding.push(matrix);
  }
  if (!layers) return undefined;
  const sequences = new Interner<readonly number[]>((values) => values.join());
  const passing = passingMatrix({
    ...addresses,
    entries: entries(passes),
    columns: columns.count,
    meaning: everyMatch(columns.count, sequences),
    most: MAX_WORK,
    effort,
  });
  const isShort = sequences.all.every(({ length }) => length <= MOST_PASSED);
  return passing === undefined || !isShort
    ? undefined
    : { kind: "tables", columns, deciding, passing, sequences: sequences.all };
}

const MAX_WORK = 1 << 20;
/** Rules that a packet passes by tables: the verifier follows each, some 1,000 instructions for a limit in either family. */
const MOST_PASSED = 256;

function passingMatrix(input: MatrixInput): Matrix | null | undefined {
  return input.entries.length === 0 ? null : matrixOf(input);
}

/** All entries that hold, in order. */
function everyMatch(columns: number, sequences: Interner<readonly number[]>): Meaning {
  const heardAt = (entries: readonly Entry[], column: number) =>
    entries.flatMap((entry, place) => (hasBit(entry.columns, column) ? [place] : []));
  const placesHeard = (entries: readonly Entry[]) => {
    const heard = new Interner<readonly number[]>((places) => places.join());
    const sort = Uint16Array.from({ length: columns }, (_, column) => heard.add(heardAt(entries, column)));
    return { sort, heard: heard.all };
  };
  return {
    prune: (entries) => entries,
    sortOf: (entries) => placesHeard(entries).sort,
    valuesOf: (entries) =>
      placesHeard(entries).heard.map((places) => {
        const ranks = new Set(places.map((place) => (entries[place] as Entry).rank));
        return ranks.size === 0 ? NONE : sequences.add([...ranks]);
      }),
  };
}

function entriesOf(lowered: readonly Lowered[], { ofShape }: Columns): readonly Entry[] {
  const unions = new Map<string, { shape: number; columns: Uint32Array }>();
  return lowered
    .map(({ value, source, destination, shapes }): Entry => {
      const key = shapes.join();
      const known = unions.get(key) ?? { shape: unions.size, columns: unionOf(shapes, ofShape) };
      unions.set(key, known);
      return { rank: value, source, destination, ...known };
    })
    .filter(({ columns }) => columns.some((word) => word !== 0));
}

function unionOf(shapes: readonly number[], ofShape: readonly Uint32Array[]): Uint32Array {
  const [first, ...rest] = shapes.map((shape) => ofShape[shape] as Uint32Array);
  invariant(first, "a condition has a shape");
  const union = first.slice();
  for (const more of rest) uniteBits(union, more);
  return union;
}
