import type { Box } from "./boxes.js";
import { holds, isEverything, type Ranges, unite } from "./ranges.js";
import type { Space } from "./space.js";

/** Above this many, no box is compared with every other. */
const FEW = 64;

/**
 * The same packets in fewer boxes: those that differ in one variable become one, and among a few those that lie in another
 * go. Not the fewest, which would be hard to find.
 */
export function tidied(boxes: readonly Box[], space: Space): readonly Box[] {
  const anything = boxes.find(({ restricts }) => restricts.size === 0);
  if (anything) return [anything];
  let tidy = boxes;
  for (let before = 0; tidy.length > 1 && tidy.length !== before; ) {
    before = tidy.length;
    const variables = new Set(tidy.flatMap(({ restricts }) => [...restricts.keys()]));
    for (const variable of variables) tidy = joined(tidy, variable, space);
  }
  return tidy.length > 1 && tidy.length <= FEW ? largest(tidy) : tidy;
}

/** Joins boxes that differ in nothing but `variable`. */
function joined(boxes: readonly Box[], variable: number, space: Space): readonly Box[] {
  const groups = new Map<string, Box>();
  for (const box of boxes) {
    const key = keyWithout(box, variable);
    const known = groups.get(key);
    groups.set(key, known ? united(known, box, variable, space) : box);
  }
  return groups.size === boxes.length ? boxes : [...groups.values()];
}

function united(a: Box, b: Box, variable: number, space: Space): Box {
  const [some, others] = [a.restricts.get(variable), b.restricts.get(variable)];
  const all = some && others && unite(some, others);
  const restricts = new Map(a.restricts);
  if (!all || isEverything(all, space.variables[variable]?.bits ?? 0)) restricts.delete(variable);
  else restricts.set(variable, all);
  return { restricts };
}

function keyWithout({ restricts }: Box, variable: number): string {
  const parts = [...restricts].filter(([other]) => other !== variable).sort(([a], [b]) => a - b);
  return parts.map(([other, ranges]) => `${other}:${textOf(ranges)}`).join(" ");
}

const texts = new WeakMap<Ranges, string>();

function textOf(ranges: Ranges): string {
  const text = texts.get(ranges) ?? ranges.join();
  texts.set(ranges, text);
  return text;
}

/** Without the boxes that lie in another one; no two are equal. */
function largest(boxes: readonly Box[]): readonly Box[] {
  return boxes.filter((box) => !boxes.some((other) => other !== box && boxHolds(other, box)));
}

/** All of `inner` is in `outer`. */
export function boxHolds(outer: Box, inner: Box): boolean {
  for (const [variable, ranges] of outer.restricts) {
    const narrower = inner.restricts.get(variable);
    if (!narrower || !holds(ranges, narrower)) return false;
  }
  return true;
}
