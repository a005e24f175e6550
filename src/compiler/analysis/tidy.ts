import type { Box } from "./boxes.js";
import { holds, isEverything, type Ranges, sameRanges, unite } from "./ranges.js";
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
  const alone: Box[] = [];
  for (const box of boxes) {
    const key = keyWithout(box, variable);
    const known = groups.get(key);
    if (known && !sameWithout(known, box, variable)) alone.push(box);
    else groups.set(key, known ? united(known, box, variable, space) : box);
  }
  return groups.size + alone.length === boxes.length ? boxes : [...groups.values(), ...alone];
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
  return parts.map(([other, ranges]) => `${other}:${digestOf(ranges)}`).join(" ");
}

/** Boxes with the same key, which says nearly everything. */
function sameWithout(a: Box, b: Box, variable: number): boolean {
  return [...a.restricts].every(([other, ranges]) => {
    const others = b.restricts.get(other);
    return other === variable || (others !== undefined && sameRanges(ranges, others));
  });
}

const digests = new WeakMap<Ranges, string>();

/** Lists may have a million ranges, which nobody should write out. */
function digestOf(ranges: Ranges): string {
  const known = digests.get(ranges);
  if (known !== undefined) return known;
  let hash = ranges.length;
  for (const end of ranges) hash = Math.imul(hash ^ end, 0x85ebca6b) ^ (hash >>> 13);
  const digest = `${ranges.length}.${hash}`;
  digests.set(ranges, digest);
  return digest;
}

/** Without the boxes that lie in another one; no two are equal. */
function largest(boxes: readonly Box[]): readonly Box[] {
  return boxes.filter((box) => !boxes.some((other) => other !== box && boxHolds(other, box)));
}

/** All of `inner` is in `outer`. */
function boxHolds(outer: Box, inner: Box): boolean {
  for (const [variable, ranges] of outer.restricts) {
    const narrower = inner.restricts.get(variable);
    if (!narrower || !holds(ranges, narrower)) return false;
  }
  return true;
}
