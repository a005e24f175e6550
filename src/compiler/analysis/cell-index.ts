import type { Ranges } from "./ranges.js";
import { type Region, regionHas, regionsMeet } from "./region.js";

/** One box of a rule. */
export interface Cell {
  /** The rule's number in its stage. */
  readonly rule: number;
  readonly region: Region;
}

/** Cells that are looked at one by one, or a cut through one variable. Cells are numbers, in the rules' order. */
interface Node {
  /** The first and the last rule below. */
  readonly first: number;
  readonly last: number;
  readonly cells: Int32Array;
  readonly cut: Cut | null;
}

interface Cut {
  readonly variable: number;
  /** The first value above. */
  readonly at: number;
  readonly below: Node | null;
  readonly above: Node | null;
  /** Cells on both sides. */
  readonly across: Node | null;
}

/** So few are looked at one by one. */
const FEW = 8;

/**
 * Finds the cells at a point or in a region without looking at all of them: a tree that cuts the variable which tells most cells
 * apart, with the cells that a cut goes through in a tree of their own, over the other variables.
 */
export class CellIndex {
  readonly #cells: readonly Cell[];
  readonly #rules: Int32Array;
  readonly #bounds: Bounds;
  readonly #root: Node | null;

  /** `cells` are in the rules' order. */
  constructor(cells: readonly Cell[], variables: number) {
    this.#cells = cells;
    this.#rules = Int32Array.from(cells, ({ rule }) => rule);
    this.#bounds = new Bounds(cells, variables);
    const all = Array.from({ length: variables }, (_, variable) => variable);
    this.#root = this.#build(Int32Array.from(cells.keys()), all);
  }

  /** The first cell in the rules' order, of rules from number `from` to before number `end`, that has the point. */
  firstAt(point: Uint32Array, from: number, end: number): Cell | undefined {
    let first: Cell | undefined;
    const waiting: (Node | null)[] = [this.#root];
    while (waiting.length > 0) {
      const node = waiting.pop();
      const before = first?.rule ?? end;
      if (!node || node.first >= before || node.last < from) continue;
      first = this.#firstIn(node, point, from, before) ?? first;
      const { cut } = node;
      if (cut) waiting.push(cut.across, (point[cut.variable] as number) < cut.at ? cut.below : cut.above);
    }
    return first;
  }

  #firstIn({ cells }: Node, point: Uint32Array, from: number, before: number): Cell | undefined {
    for (const number of cells) {
      const rule = this.#rules[number] as number;
      if (rule >= before) return undefined;
      if (rule < from || !this.#bounds.has(number, point)) continue;
      const cell = this.#cells[number] as Cell;
      if (this.#bounds.areExact(number) || regionHas(cell.region, point)) return cell;
    }
    return undefined;
  }

  /** The cells of rules from number `from` to before number `end` that share something with the region, in the rules' order. */
  meeting(region: Region, from: number, end: number): readonly Cell[] {
    const found: Cell[] = [];
    this.some(region, from, end, (cell) => {
      found.push(cell);
      return false;
    });
    return found.sort((a, b) => a.rule - b.rule);
  }

  /** Whether one of them is wanted; they are asked in no order, and none after that one. */
  some(region: Region, from: number, end: number, isWanted: (cell: Cell) => boolean): boolean {
    const bounds = boundsOf(region);
    const isExact = region.every(({ length }) => length === 2);
    const waiting: (Node | null)[] = [this.#root];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (!node || node.first >= end || node.last < from) continue;
      for (const number of node.cells) {
        const rule = this.#rules[number] as number;
        if (rule < from || rule >= end || !this.#bounds.meet(number, bounds)) continue;
        const cell = this.#cells[number] as Cell;
        const meets = (isExact && this.#bounds.areExact(number)) || regionsMeet(cell.region, region);
        if (meets && isWanted(cell)) return true;
      }
      if (node.cut) pushMeeting(node.cut, bounds, waiting);
    }
    return false;
  }

  #build(cells: Int32Array, variables: readonly number[]): Node | null {
    if (cells.length === 0) return null;
    const rules = { first: this.#ruleOf(cells, 0), last: this.#ruleOf(cells, cells.length - 1) };
    const best = cells.length > FEW ? this.#bestCut(cells, variables) : undefined;
    if (!best) return { ...rules, cells, cut: null };
    const { variable, at } = best;
    const isBelow = (cell: number) => this.#bounds.high(cell, variable) < at;
    const isAbove = (cell: number) => this.#bounds.low(cell, variable) >= at;
    const others = variables.filter((one) => one !== variable);
    const cut: Cut = {
      variable,
      at,
      below: this.#build(cells.filter(isBelow), variables),
      above: this.#build(cells.filter(isAbove), variables),
      across: this.#build(
        cells.filter((cell) => !isBelow(cell) && !isAbove(cell)),
        others,
      ),
    };
    return { ...rules, cells: new Int32Array(0), cut };
  }

  #ruleOf(cells: Int32Array, at: number): number {
    return this.#rules[cells[at] as number] as number;
  }

  /** undefined: no cut leaves less to look at. */
  #bestCut(
    cells: Int32Array,
    variables: readonly number[],
  ): { readonly variable: number; readonly at: number } | undefined {
    let best: { readonly variable: number; readonly at: number } | undefined;
    let most = 0;
    for (const variable of variables) {
      const at = this.#middle(cells, variable);
      let [below, above] = [0, 0];
      for (const cell of cells) {
        if (this.#bounds.high(cell, variable) < at) below++;
        else if (this.#bounds.low(cell, variable) >= at) above++;
      }
      if (Math.min(below, above) <= most) continue;
      most = Math.min(below, above);
      best = { variable, at };
    }
    return best;
  }

  /** The middle of where cells begin; those that begin at the very start are left out, as most of them hold everything. */
  #middle(cells: Int32Array, variable: number): number {
    const starts = new Float64Array(cells.length);
    let length = 0;
    for (const cell of cells) {
      const low = this.#bounds.low(cell, variable);
      if (low > 0) starts[length++] = low;
    }
    return starts.subarray(0, length).sort()[length >> 1] ?? 0;
  }
}

function pushMeeting(cut: Cut, bounds: Uint32Array, waiting: (Node | null)[]): void {
  waiting.push(cut.across);
  if ((bounds[2 * cut.variable] as number) < cut.at) waiting.push(cut.below);
  if ((bounds[2 * cut.variable + 1] as number) >= cut.at) waiting.push(cut.above);
}

/** Least and greatest value of each variable in each cell, in one array: most cells need no more to be judged. */
class Bounds {
  readonly #ends: Uint32Array;
  readonly #exact: Uint8Array;

  constructor(
    cells: readonly Cell[],
    private readonly variables: number,
  ) {
    this.#ends = new Uint32Array(2 * variables * cells.length);
    this.#exact = new Uint8Array(cells.length);
    cells.forEach(({ region }, cell) => {
      this.#ends.set(boundsOf(region), 2 * variables * cell);
      this.#exact[cell] = region.every(({ length }) => length === 2) ? 1 : 0;
    });
  }

  low(cell: number, variable: number): number {
    return this.#ends[2 * (cell * this.variables + variable)] as number;
  }

  high(cell: number, variable: number): number {
    return this.#ends[2 * (cell * this.variables + variable) + 1] as number;
  }

  /** What is between the bounds is in the cell. */
  areExact(cell: number): boolean {
    return this.#exact[cell] === 1;
  }

  has(cell: number, point: Uint32Array): boolean {
    let at = 2 * cell * this.variables;
    for (let variable = 0; variable < this.variables; variable++, at += 2) {
      const value = point[variable] as number;
      if (value < (this.#ends[at] as number) || value > (this.#ends[at + 1] as number)) return false;
    }
    return true;
  }

  meet(cell: number, bounds: Uint32Array): boolean {
    const start = 2 * cell * this.variables;
    // Those at the end, ports and addresses, tell more cells apart than those at the start.
    for (let at = bounds.length - 2; at >= 0; at -= 2) {
      if ((bounds[at + 1] as number) < (this.#ends[start + at] as number)) return false;
      if ((bounds[at] as number) > (this.#ends[start + at + 1] as number)) return false;
    }
    return true;
  }
}

function boundsOf(region: Region): Uint32Array {
  const bounds = new Uint32Array(2 * region.length);
  region.forEach((values: Ranges, variable) => {
    bounds[2 * variable] = values[0] as number;
    bounds[2 * variable + 1] = values[values.length - 1] as number;
  });
  return bounds;
}
