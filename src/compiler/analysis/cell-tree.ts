import type { CellBounds } from "./cell-bounds.js";

/** No node. */
export const NONE = -1;
/** So few cells are looked at one by one. */
const FEW = 8;
/** Cuts are chosen by so many cells: a few tell as much as all of them. */
const SAMPLE = 96;

/**
 * A tree that cuts the variable which tells most cells apart, with the cells that a cut goes through in a tree of their own, over the
 * other variables. Nodes are numbers, 0 the root; what is known of each lies in flat arrays, as searches go through millions of them.
 */
export class CellTree {
  /** The cells by their numbers, those of one leaf next to each other and in the rules' order. */
  readonly order: Int32Array;
  /** The first and the last rule below each node. */
  readonly first: number[] = [];
  readonly last: number[] = [];
  /** Where a leaf's cells begin and end in `order`; an inner node has none. */
  readonly start: number[] = [];
  readonly end: number[] = [];
  /** What an inner node asks, the first value above, and its nodes. */
  readonly variable: number[] = [];
  readonly at: number[] = [];
  readonly below: number[] = [];
  readonly above: number[] = [];
  readonly across: number[] = [];
  #placed = 0;

  /** `rules` are those of the cells, in ascending order. */
  constructor(
    private readonly rules: Int32Array,
    private readonly bounds: CellBounds,
  ) {
    this.order = new Int32Array(rules.length);
    const variables = Array.from({ length: bounds.variables }, (_, variable) => variable);
    this.#build(Int32Array.from(rules.keys()), variables);
  }

  /** The new node's number. */
  #build(cells: Int32Array, variables: readonly number[]): number {
    if (cells.length === 0) return NONE;
    const node = this.#add(cells);
    const best = cells.length > FEW ? this.#bestCut(cells, variables) : undefined;
    if (!best) {
      this.order.set(cells, this.#placed);
      this.#placed += cells.length;
      this.end[node] = this.#placed;
      return node;
    }
    const { variable, at } = best;
    const [below, above, across] = this.#parted(cells, variable, at);
    const others = variables.filter((one) => one !== variable);
    this.variable[node] = variable;
    this.at[node] = at;
    this.below[node] = this.#build(below, variables);
    this.above[node] = this.#build(above, variables);
    this.across[node] = this.#build(across, others);
    return node;
  }

  /** A leaf without cells. */
  #add(cells: Int32Array): number {
    const ruleAt = (place: number) => this.rules[cells[place] as number] as number;
    this.start.push(this.#placed);
    this.end.push(this.#placed);
    this.variable.push(NONE);
    this.at.push(0);
    for (const children of [this.below, this.above, this.across]) children.push(NONE);
    this.first.push(ruleAt(0));
    return this.last.push(ruleAt(cells.length - 1)) - 1;
  }

  /** The cells below, above and on both sides of a cut. */
  #parted(cells: Int32Array, variable: number, at: number): readonly [Int32Array, Int32Array, Int32Array] {
    const parts = [0, 1, 2].map(() => new Int32Array(cells.length));
    const lengths = [0, 0, 0];
    for (const cell of cells) {
      const side = this.#side(cell, variable, at);
      (parts[side] as Int32Array)[(lengths[side] as number)++] = cell;
    }
    const [below, above, across] = parts.map((part, side) => part.slice(0, lengths[side]));
    return [below as Int32Array, above as Int32Array, across as Int32Array];
  }

  /** 0: below, 1: above, 2: both. */
  #side(cell: number, variable: number, at: number): 0 | 1 | 2 {
    if (this.bounds.high(cell, variable) < at) return 0;
    return this.bounds.low(cell, variable) >= at ? 1 : 2;
  }

  /** undefined: no cut leaves less to look at. */
  #bestCut(
    cells: Int32Array,
    variables: readonly number[],
  ): { readonly variable: number; readonly at: number } | undefined {
    const step = Math.max(1, cells.length / SAMPLE);
    const sample = new Int32Array(Math.floor(cells.length / step));
    for (let index = 0; index < sample.length; index++)
      sample[index] = cells[Math.floor(index * step)] as number;
    let best: { readonly variable: number; readonly at: number } | undefined;
    let most = 0;
    for (const variable of variables) {
      const at = this.#middle(sample, variable);
      const counts = [0, 0, 0];
      for (const cell of sample) (counts[this.#side(cell, variable, at)] as number)++;
      const least = Math.min(counts[0] as number, counts[1] as number);
      if (least <= most) continue;
      most = least;
      best = { variable, at };
    }
    return best;
  }

  /** The middle of where cells begin; those that begin at the very start are left out, as most of them hold everything. */
  #middle(cells: Int32Array, variable: number): number {
    const starts = new Uint32Array(cells.length);
    let length = 0;
    for (const cell of cells) {
      const low = this.bounds.low(cell, variable);
      if (low > 0) starts[length++] = low;
    }
    return starts.subarray(0, length).sort()[length >> 1] ?? 0;
  }
}
