import { invariant } from "../diagnostics/invariant.js";
import type { Ranges } from "./ranges.js";
import { type Region, regionHas, regionsMeet } from "./region.js";

/** One box of a rule. */
export interface Cell {
  /** The rule's number in its stage. */
  readonly rule: number;
  readonly region: Region;
}

/** Cells on both sides of a cut through one variable, and those that it goes through. */
interface Node {
  /** The first rule below. */
  readonly first: number;
  readonly last: number;
  readonly cut: Cut | null;
  readonly cells: readonly Cell[];
}

interface Cut {
  readonly variable: number;
  /** The first value above. */
  readonly at: number;
  readonly below: Node | null;
  readonly above: Node | null;
  readonly across: Node | null;
}

/** So few are looked at one by one. */
const FEW = 8;

/**
 * Finds the cells at a point or in a region without looking at all of them: a tree that cuts the variable which tells most cells
 * apart, with the cells that a cut goes through in a tree of their own, over the other variables.
 */
export class CellIndex {
  readonly #root: Node | null;

  constructor(cells: readonly Cell[], variables: number) {
    const all = Array.from({ length: variables }, (_, variable) => variable);
    this.#root = build(cells, all);
  }

  /** The first rule, from number `from` to before number `end`, one of whose cells has the point. */
  firstAt(point: Uint32Array, from: number, end: number): Cell | undefined {
    let first: Cell | undefined;
    let before = end;
    const waiting: (Node | null)[] = [this.#root];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (!node || node.first >= before || node.last < from) continue;
      for (const cell of node.cells) {
        if (cell.rule < from || cell.rule >= before || !regionHas(cell.region, point)) continue;
        first = cell;
        before = cell.rule;
      }
      const { cut } = node;
      if (cut) waiting.push(cut.across, (point[cut.variable] as number) < cut.at ? cut.below : cut.above);
    }
    return first;
  }

  /** The cells of rules from number `from` to before number `end` that share something with the region, in the rules' order. */
  meeting(region: Region, from: number, end: number): readonly Cell[] {
    const found: Cell[] = [];
    const waiting: (Node | null)[] = [this.#root];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (!node || node.first >= end || node.last < from) continue;
      for (const cell of node.cells) {
        if (cell.rule >= from && cell.rule < end && regionsMeet(cell.region, region)) found.push(cell);
      }
      const { cut } = node;
      if (!cut) continue;
      const values = region[cut.variable] as Ranges;
      waiting.push(cut.across);
      if ((values[0] as number) < cut.at) waiting.push(cut.below);
      if ((values[values.length - 1] as number) >= cut.at) waiting.push(cut.above);
    }
    return found.sort((a, b) => a.rule - b.rule);
  }
}

function build(cells: readonly Cell[], variables: readonly number[]): Node | null {
  if (cells.length === 0) return null;
  const first = cells.reduce((least, { rule }) => Math.min(least, rule), Number.POSITIVE_INFINITY);
  const last = cells.reduce((most, { rule }) => Math.max(most, rule), -1);
  const best = cells.length > FEW ? bestCut(cells, variables) : undefined;
  if (!best) return { first, last, cut: null, cells };
  const { variable, at } = best;
  const below = cells.filter(({ region }) => highOf(region, variable) < at);
  const above = cells.filter(({ region }) => lowOf(region, variable) >= at);
  const across = cells.filter(({ region }) => lowOf(region, variable) < at && highOf(region, variable) >= at);
  const others = variables.filter((one) => one !== variable);
  const cut = {
    ...{ variable, at, below: build(below, variables), above: build(above, variables) },
    across: build(across, others),
  };
  return { first, last, cut, cells: [] };
}

/** undefined: no cut leaves less to look at. */
function bestCut(
  cells: readonly Cell[],
  variables: readonly number[],
): { readonly variable: number; readonly at: number } | undefined {
  let best: { readonly variable: number; readonly at: number } | undefined;
  let least = cells.length;
  for (const variable of variables) {
    const at = middle(cells, variable);
    const below = cells.filter(({ region }) => highOf(region, variable) < at).length;
    const above = cells.filter(({ region }) => lowOf(region, variable) >= at).length;
    const cost = cells.length - Math.min(below, above);
    if (cost < least) {
      least = cost;
      best = { variable, at };
    }
  }
  return best;
}

/** The middle of where cells begin, those that begin at the very start left out: most of them hold everything. */
function middle(cells: readonly Cell[], variable: number): number {
  const starts = cells.map(({ region }) => lowOf(region, variable)).filter((low) => low > 0);
  const sorted = Float64Array.from(starts).sort();
  return sorted[sorted.length >> 1] ?? 0;
}

function lowOf(region: Region, variable: number): number {
  return (region[variable] as Ranges)[0] as number;
}

function highOf(region: Region, variable: number): number {
  const values = region[variable];
  invariant(values, "a region has all variables");
  return values[values.length - 1] as number;
}
