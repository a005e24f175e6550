import { boundsOf, CellBounds, isProduct } from "./cell-bounds.js";
import { CellTree, NONE } from "./cell-tree.js";
import { type Region, regionHas, regionsMeet } from "./region.js";

/** One box of a rule. */
export interface Cell {
  /** The rule's number in its stage. */
  readonly rule: number;
  readonly region: Region;
}

/** A region, and the rules of which cells are asked for. */
interface Asked {
  readonly region: Region;
  readonly bounds: Uint32Array;
  readonly isExact: boolean;
  readonly from: number;
  readonly end: number;
}

/** Finds the cells at a point or in a region without looking at all of them. */
export class CellIndex {
  readonly #tree: CellTree | null;
  /** As the tree's leaves have them. */
  readonly #cells: readonly Cell[];
  readonly #rules: Int32Array;
  readonly #bounds: CellBounds;

  /** `cells` are in the rules' order. */
  constructor(cells: readonly Cell[], variables: number) {
    const bounds = new CellBounds(
      cells.map(({ region }) => region),
      variables,
    );
    const rules = Int32Array.from(cells, ({ rule }) => rule);
    this.#tree = cells.length > 0 ? new CellTree(rules, bounds) : null;
    this.#cells = Array.from(this.#tree?.order ?? [], (cell) => cells[cell] as Cell);
    this.#rules = Int32Array.from(this.#cells, ({ rule }) => rule);
    this.#bounds = new CellBounds(
      this.#cells.map(({ region }) => region),
      variables,
    );
  }

  /** The first cell in the rules' order, of rules from number `from` to before number `end`, that has the point. */
  firstAt(point: Uint32Array, from: number, end: number): Cell | undefined {
    const tree = this.#tree;
    if (!tree) return undefined;
    let first: Cell | undefined;
    let before = end;
    const waiting = [0];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node === NONE || (tree.first[node] as number) >= before || (tree.last[node] as number) < from)
        continue;
      const variable = tree.variable[node] as number;
      if (variable === NONE) {
        first =
          this.#firstIn(tree.start[node] as number, tree.end[node] as number, point, from, before) ?? first;
        before = first?.rule ?? end;
        continue;
      }
      const isBelow = (point[variable] as number) < (tree.at[node] as number);
      waiting.push(tree.across[node] as number, (isBelow ? tree.below[node] : tree.above[node]) as number);
    }
    return first;
  }

  #firstIn(start: number, end: number, point: Uint32Array, from: number, before: number): Cell | undefined {
    for (let place = start; place < end; place++) {
      const rule = this.#rules[place] as number;
      if (rule >= before) return undefined;
      if (rule < from || !this.#bounds.has(place, point)) continue;
      const cell = this.#cells[place] as Cell;
      if (this.#bounds.areExact(place) || regionHas(cell.region, point)) return cell;
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
    const tree = this.#tree;
    if (!tree) return false;
    const asked: Asked = { region, bounds: boundsOf(region), isExact: isProduct(region), from, end };
    const waiting = [0];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node === NONE || (tree.first[node] as number) >= end || (tree.last[node] as number) < from)
        continue;
      const variable = tree.variable[node] as number;
      if (variable === NONE) {
        if (this.#someOf(tree.start[node] as number, tree.end[node] as number, asked, isWanted)) return true;
        continue;
      }
      const at = tree.at[node] as number;
      waiting.push(tree.across[node] as number);
      if ((asked.bounds[2 * variable] as number) < at) waiting.push(tree.below[node] as number);
      if ((asked.bounds[2 * variable + 1] as number) >= at) waiting.push(tree.above[node] as number);
    }
    return false;
  }

  /** Of the cells of one leaf. */
  #someOf(start: number, last: number, asked: Asked, isWanted: (cell: Cell) => boolean): boolean {
    const { region, bounds, isExact, from, end } = asked;
    for (let place = start; place < last; place++) {
      const rule = this.#rules[place] as number;
      if (rule >= end) return false;
      if (rule < from || !this.#bounds.meet(place, bounds)) continue;
      const cell = this.#cells[place] as Cell;
      const meets = (isExact && this.#bounds.areExact(place)) || regionsMeet(cell.region, region);
      if (meets && isWanted(cell)) return true;
    }
    return false;
  }
}
