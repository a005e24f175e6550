import type { Box } from "./boxes.js";
import { has, holds, intersect, lastOf, meet, type Ranges, range } from "./ranges.js";
import type { Space } from "./space.js";

/** A product of sets, one for each variable of a space in order: a box that is quick to cut. None of the sets is empty. */
export type Region = readonly Ranges[];

/** All values of all variables. */
export function everywhere({ variables }: Space): Region {
  return variables.map(({ bits }) => range(0, lastOf(bits)));
}

export function regionOf({ restricts }: Box, everything: Region): Region {
  return everything.map((all, variable) => restricts.get(variable) ?? all);
}

/** As a box: what is everything is not said. */
export function boxOfRegion(region: Region, everything: Region): Box {
  const restricts = new Map<number, Ranges>();
  region.forEach((ranges, variable) => {
    if (!holds(ranges, everything[variable] as Ranges)) restricts.set(variable, ranges);
  });
  return { restricts };
}

/** What two regions share; undefined: nothing. */
export function common(a: Region, b: Region): Region | undefined {
  const both: Ranges[] = [];
  for (let variable = 0; variable < a.length; variable++) {
    const ranges = intersect(a[variable] as Ranges, b[variable] as Ranges);
    if (ranges.length === 0) return undefined;
    both.push(ranges);
  }
  return both;
}

export function regionsMeet(a: Region, b: Region): boolean {
  for (let variable = 0; variable < a.length; variable++) {
    if (!meet(a[variable] as Ranges, b[variable] as Ranges)) return false;
  }
  return true;
}

/** All of `inner` is in `outer`. */
export function regionHolds(outer: Region, inner: Region): boolean {
  for (let variable = 0; variable < outer.length; variable++) {
    if (!holds(outer[variable] as Ranges, inner[variable] as Ranges)) return false;
  }
  return true;
}

export function regionHas(region: Region, point: Uint32Array): boolean {
  for (let variable = 0; variable < region.length; variable++) {
    if (!has(region[variable] as Ranges, point[variable] as number)) return false;
  }
  return true;
}
