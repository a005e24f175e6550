import type { Ranges } from "./ranges.js";
import type { Region } from "./region.js";

/** Least and greatest value of each variable in each cell, in one array: most cells need no more to be judged. */
export class CellBounds {
  readonly #ends: Uint32Array;
  readonly #exact: Uint8Array;

  constructor(
    regions: readonly Region[],
    readonly variables: number,
  ) {
    this.#ends = new Uint32Array(2 * variables * regions.length);
    this.#exact = new Uint8Array(regions.length);
    regions.forEach((region, cell) => {
      writeBounds(region, this.#ends, 2 * variables * cell);
      this.#exact[cell] = isProduct(region) ? 1 : 0;
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

/** [least, greatest, least, greatest, …] */
export function boundsOf(region: Region): Uint32Array {
  const bounds = new Uint32Array(2 * region.length);
  writeBounds(region, bounds, 0);
  return bounds;
}

function writeBounds(region: Region, into: Uint32Array, at: number): void {
  for (let variable = 0; variable < region.length; variable++) {
    const values = region[variable] as Ranges;
    into[at + 2 * variable] = values[0] as number;
    into[at + 2 * variable + 1] = values[values.length - 1] as number;
  }
}

/** Each variable has one range. */
export function isProduct(region: Region): boolean {
  for (let variable = 0; variable < region.length; variable++) {
    if ((region[variable] as Ranges).length !== 2) return false;
  }
  return true;
}
