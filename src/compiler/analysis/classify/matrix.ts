import { type Bits, bitsFor, uniteBits } from "./bits.js";
import type { Effort } from "./effort.js";
import { Interner } from "./interner.js";
import type { Segments } from "./segments.js";

/**
 * A table by source and destination. Most of it is empty: a cell is there only where some entry holds for packets from the row's
 * addresses to the column's.
 */
export interface Matrix {
  /** Class of source addresses → row. */
  readonly rowOf: Uint32Array;
  /** Class of destination addresses → place in a row. */
  readonly placeOf: Uint32Array;
  readonly places: number;
  readonly rows: readonly (readonly Cell[])[];
  readonly leaves: readonly Leaf[];
  /**
   * Column of the packet → place in a leaf's values. Leaves that part the columns alike share one. They are made when they
   * are asked for: all at once they would be large.
   */
  readonly sorts: readonly (() => Uint16Array)[];
}

export interface Cell {
  readonly place: number;
  readonly leaf: number;
}

/** What becomes of packets from some addresses to some others, by their column. */
export interface Leaf {
  readonly sort: number;
  readonly values: readonly number[];
}

/** Index of a set of addresses, or EVERYWHERE. */
export const EVERYWHERE = -1;

/** Holds for packets from `source` to `destination` whose column is in `columns`. */
export interface Entry {
  readonly rank: number;
  readonly source: number;
  readonly destination: number;
  /** Equal for equal `columns`. */
  readonly shape: number;
  readonly columns: Bits;
}

/** What counts of the entries that some packets meet, which come in the order of their ranks. */
export interface Meaning {
  /** Without those that never count, as earlier ones hold wherever they do. */
  prune(entries: readonly Entry[]): readonly Entry[];
  /** Column → place in the values. It depends on the entries' shapes only, and so does how many values there are. */
  sortOf(entries: readonly Entry[]): Uint16Array;
  valuesOf(entries: readonly Entry[]): readonly number[];
}

export interface MatrixInput {
  readonly entries: readonly Entry[];
  readonly sources: Segments;
  readonly destinations: Segments;
  readonly columns: number;
  readonly meaning: Meaning;
  /** More entries in cells than this are too many. */
  readonly most: number;
  readonly effort: Effort;
}

/** Undefined if the cells would be too many, or take more than the effort to make. */
export function matrixOf(input: MatrixInput): Matrix | undefined {
  const bySource = groupsOf(
    input.sources,
    input.entries.map(({ source }) => source),
  );
  const byDestination = groupsOf(
    input.destinations,
    input.entries.map(({ destination }) => destination),
  );
  const times = timesInCells(input.entries, bySource, byDestination);
  if (times > input.most || !input.effort.spend(times * (1 + input.columns / 32))) return undefined;
  const leaves = new Leaves(input);
  const ofSource = entriesBySource(input.entries);
  const rows = bySource.groups.map((sets) => {
    const indexes = [...sets].flatMap((set) => ofSource.get(set) ?? []).sort((a, b) => a - b);
    return cellsOf(
      indexes.map((index) => input.entries[index] as Entry),
      byDestination,
      leaves,
    );
  });
  if (!input.effort.spend(leaves.sorts.length * input.columns)) return undefined;
  return {
    rowOf: bySource.groupOf,
    placeOf: byDestination.groupOf,
    places: byDestination.groups.length,
    rows,
    leaves: leaves.all,
    sorts: leaves.sorts,
  };
}

/** How many cells a matrix of the entries has at most. */
export function cellsAtMost({
  entries,
  sources,
  destinations,
}: Pick<MatrixInput, "entries" | "sources" | "destinations">): number {
  return timesInCells(
    entries,
    groupsOf(
      sources,
      entries.map(({ source }) => source),
    ),
    groupsOf(
      destinations,
      entries.map(({ destination }) => destination),
    ),
  );
}

/** Classes of addresses that some sets do not tell apart are one group. */
interface Groups {
  readonly groupOf: Uint32Array;
  /** The sets, of those that were asked for, that hold each group. */
  readonly groups: readonly ReadonlySet<number>[];
  /** The groups that each set holds. */
  readonly ofSet: ReadonlyMap<number, readonly number[]>;
}

function groupsOf(segments: Segments, sets: readonly number[]): Groups {
  const asked = new Set(sets);
  const groups = new Interner<readonly number[]>((members) => members.join());
  const groupOf = Uint32Array.from(segments.members, (members) =>
    groups.add(members.filter((member) => asked.has(member))),
  );
  const ofSet = new Map<number, number[]>([...asked].map((set) => [set, []]));
  groups.all.forEach((members, group) => {
    for (const member of members) ofSet.get(member)?.push(group);
    ofSet.get(EVERYWHERE)?.push(group);
  });
  return { groupOf, groups: groups.all.map((members) => new Set([...members, EVERYWHERE])), ofSet };
}

/** How many times an entry stands in a cell. */
function timesInCells(entries: readonly Entry[], bySource: Groups, byDestination: Groups): number {
  const sum = (set: number, { ofSet }: Groups) => ofSet.get(set)?.length ?? 0;
  return entries.reduce(
    (all, { source, destination }) => all + sum(source, bySource) * sum(destination, byDestination),
    0,
  );
}

/** Indexes of the entries of each set of sources, in order. */
function entriesBySource(entries: readonly Entry[]): ReadonlyMap<number, readonly number[]> {
  const bySource = new Map<number, number[]>();
  entries.forEach(({ source }, index) => {
    const known = bySource.get(source);
    if (known) known.push(index);
    else bySource.set(source, [index]);
  });
  return bySource;
}

function cellsOf(here: readonly Entry[], { ofSet }: Groups, leaves: Leaves): readonly Cell[] {
  const cells = new Map<number, Entry[]>();
  for (const entry of here) {
    for (const place of ofSet.get(entry.destination) ?? []) {
      const cell = cells.get(place);
      if (cell) cell.push(entry);
      else cells.set(place, [entry]);
    }
  }
  return [...cells]
    .map(([place, met]) => ({ place, leaf: leaves.add(met) }))
    .sort((a, b) => a.place - b.place);
}

/** Leaves, each once. */
class Leaves {
  readonly #input: MatrixInput;
  readonly #known = new Map<string, number>();
  readonly #leaves = new Interner<Leaf>(({ sort, values }) => `${sort}:${values.join()}`);
  readonly #sortOf = new Map<string, number>();
  readonly #sorts: (() => Uint16Array)[] = [];

  constructor(input: MatrixInput) {
    this.#input = input;
  }

  get all(): readonly Leaf[] {
    return this.#leaves.all;
  }

  get sorts(): readonly (() => Uint16Array)[] {
    return this.#sorts;
  }

  add(entries: readonly Entry[]): number {
    const kept = this.#input.meaning.prune(entries);
    const key = kept.map(({ rank, shape }) => `${rank}.${shape}`).join();
    const leaf = this.#known.get(key) ?? this.#leaves.add(this.#leafOf(kept));
    this.#known.set(key, leaf);
    return leaf;
  }

  #leafOf(entries: readonly Entry[]): Leaf {
    const { meaning } = this.#input;
    const key = entries.map(({ shape }) => shape).join();
    const sort = this.#sortOf.get(key) ?? this.#sorts.push(() => meaning.sortOf(entries)) - 1;
    this.#sortOf.set(key, sort);
    return { sort, values: meaning.valuesOf(entries) };
  }
}

/** The first entry decides: its rank, or `none`. */
export function firstMatch(columns: number, none: number): Meaning {
  return {
    prune: (entries) => {
      const taken = bitsFor(columns);
      return entries.filter((entry) => uniteBits(taken, entry.columns));
    },
    sortOf: (entries) => {
      const sort = new Uint16Array(columns).fill(entries.length);
      for (let place = entries.length - 1; place >= 0; place--) {
        fill(sort, (entries[place] as Entry).columns, place);
      }
      return sort;
    },
    valuesOf: (entries) => [...entries.map(({ rank }) => rank), none],
  };
}

function fill(sort: Uint16Array, having: Bits, place: number): void {
  for (let at = 0; at < having.length; at++) {
    for (let word = having[at] as number; word !== 0; word &= word - 1) {
      sort[at * 32 + 31 - Math.clz32(word & -word)] = place;
    }
  }
}
