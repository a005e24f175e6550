import { holds, intersect, meet, type Ranges, sizeOf, subtract } from "./ranges.js";
import { type Region, regionsMeet } from "./region.js";

/** What searches may still cost, in regions that are looked at for each cell; they take it from one another. */
export interface Effort {
  left: number;
}

/**
 * A part of `region` that none of the cells reaches, or "none": they cover it together. "tooMuch": the effort did not suffice.
 *
 * A cell that covers the region but for one variable cuts that variable's values; then the one that is largest there splits what
 * is left into the parts beside it, one a variable, and each is looked at with the cells that reach it.
 */
export function uncovered(
  region: Region,
  cells: readonly Region[],
  effort: Effort,
): Region | "none" | "tooMuch" {
  let left = region;
  let reaching = cells.filter((cell) => regionsMeet(cell, left));
  for (;;) {
    effort.left -= 1 + reaching.length;
    if (effort.left < 0) return "tooMuch";
    const trimmed = trim(left, reaching);
    if (trimmed === "none") return "none";
    if (trimmed.region === left) break;
    left = trimmed.region;
    reaching = trimmed.others.filter((cell) => regionsMeet(cell, left));
  }
  const largest = largestIn(left, reaching);
  if (!largest) return left;
  const others = reaching.filter((cell) => cell !== largest);
  for (const part of beside(largest, left)) {
    const found = uncovered(part, others, effort);
    if (found !== "none") return found;
  }
  return "none";
}

/** Takes away what cells cover that leave nothing open but one variable. */
function trim(
  region: Region,
  cells: readonly Region[],
): { readonly region: Region; readonly others: readonly Region[] } | "none" {
  const left = [...region];
  const others: Region[] = [];
  for (const cell of cells) {
    const open = openIn(cell, region);
    const [only] = open;
    if (only === undefined) return "none";
    if (open.length > 1) {
      others.push(cell);
      continue;
    }
    const values = subtract(left[only] as Ranges, cell[only] as Ranges);
    if (values.length === 0) return "none";
    left[only] = values;
  }
  return others.length === cells.length ? { region, others } : { region: left, others };
}

/** The variables in which a cell does not hold all of the region. */
function openIn(cell: Region, region: Region): readonly number[] {
  const open: number[] = [];
  for (let variable = 0; variable < region.length; variable++) {
    if (!holds(cell[variable] as Ranges, region[variable] as Ranges)) open.push(variable);
  }
  return open;
}

function largestIn(region: Region, cells: readonly Region[]): Region | undefined {
  let largest: Region | undefined;
  let most = 0;
  for (const cell of cells) {
    const share = shareOf(cell, region);
    if (share > most) {
      most = share;
      largest = cell;
    }
  }
  return largest;
}

/** The part of the region that the cell covers, from 0 to 1. */
function shareOf(cell: Region, region: Region): number {
  let share = 1;
  for (let variable = 0; variable < region.length; variable++) {
    const [inner, outer] = [cell[variable] as Ranges, region[variable] as Ranges];
    if (!holds(inner, outer)) share *= sizeOf(intersect(inner, outer)) / sizeOf(outer);
  }
  return share;
}

/** The region without the cell, as disjoint parts. */
function beside(cell: Region, region: Region): readonly Region[] {
  const inside = [...region];
  const parts: Region[] = [];
  for (const variable of openIn(cell, region)) {
    const values = inside[variable] as Ranges;
    const outside = subtract(values, cell[variable] as Ranges);
    parts.push(inside.with(variable, outside));
    inside[variable] = intersect(values, cell[variable] as Ranges);
    if (!meet(values, cell[variable] as Ranges)) break;
  }
  return parts;
}
