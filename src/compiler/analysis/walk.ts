import type { Cell } from "./cell-index.js";
import { Chance } from "./chance.js";
import { holds, type Ranges, sizeOf, subtract } from "./ranges.js";
import { type Region, regionHolds } from "./region.js";

const STARTS = 4;
const STEPS = 24;

/**
 * Looks for a point of the region where `taker` finds nobody: from some point on, always out of the cell that took it, along a
 * variable that leaves it. Says nothing if it finds none, but that a cell holds the whole region is certain.
 */
export function freePoint(
  region: Region,
  taker: (point: Uint32Array) => Cell | undefined,
  seed: number,
): { readonly point: Uint32Array } | { readonly holder: Cell } | null {
  const chance = new Chance(seed);
  for (let start = 0; start < STARTS; start++) {
    const point = Uint32Array.from(region, (values) => someOf(values, chance));
    for (let step = 0; step < STEPS; step++) {
      const taken = taker(point);
      if (!taken) return { point };
      if (regionHolds(taken.region, region)) return { holder: taken };
      leave(taken.region, point, region, chance);
    }
  }
  return null;
}

/** Changes the point in one variable, so that it is outside the cell. */
function leave(cell: Region, point: Uint32Array, region: Region, chance: Chance): void {
  const start = chance.below(region.length);
  for (let at = 0; at < region.length; at++) {
    const variable = (start + at) % region.length;
    const [values, taken] = [region[variable] as Ranges, cell[variable] as Ranges];
    if (holds(taken, values)) continue;
    point[variable] = someOf(subtract(values, taken), chance);
    return;
  }
}

/** Some number of the ranges, often at an edge: that is where others end. */
function someOf(ranges: Ranges, chance: Chance): number {
  if (chance.below(3) > 0) return ranges[chance.below(ranges.length)] as number;
  let at = chance.below(sizeOf(ranges));
  for (let i = 0; i < ranges.length; i += 2) {
    const size = (ranges[i + 1] as number) - (ranges[i] as number) + 1;
    if (at < size) return (ranges[i] as number) + at;
    at -= size;
  }
  return ranges[0] as number;
}
