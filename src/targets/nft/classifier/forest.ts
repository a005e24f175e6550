import { type Cut, cutsOf, outlookOf, ownBlocks } from "./cut.js";
import type { Items } from "./items.js";
import { type Ground, growTree, type Tree } from "./tree.js";
import type { Tuning } from "./tuning.js";

/**
 * Rules that a question cannot tell apart stand in every list behind it, so a stage with many that are wide in one field
 * and many that are wide in another grows without bounds as one tree. They are better several trees, each a small one.
 */

/** A mark has three bits for the tree's number, which is not 0. */
const MOST_TREES = 4;

/**
 * The trees in the order in which packets go through them; together they hold each rule in one of them, but those that no
 * packet can reach. All but the last hold rules that decide only; rules that packets go on from stay in order in one tree.
 */
export function plantForest(items: Items, tuning: Tuning): readonly Tree[] {
  const ground: Ground = { items, cuts: cutsOf(items.asked), tuning };
  const all = Int32Array.from(items.rules.keys());
  const goingOn = all.filter((item) => items.goesOn[item] === 1);
  const one = growTree(all, ground);
  if (goingOn.length === 0) return cheapest(all, one, MOST_TREES, ground);
  const deciding = all.filter((item) => items.goesOn[item] === 0);
  if (deciding.length === 0) return [one];
  const several = [
    ...cheapest(deciding, growTree(deciding, ground), MOST_TREES - 1, ground),
    growTree(goingOn, ground),
  ];
  return costOf(several, tuning) < one.cost ? several : [one];
}

function costOf(trees: readonly Tree[], { tree }: Tuning): number {
  return trees.reduce((sum, { cost }) => sum + tree + cost, -tree);
}

/** One tree, or one of the rules that some cut tells apart well, and others of the rest. */
function cheapest(items: Int32Array, one: Tree, most: number, ground: Ground): readonly Tree[] {
  const parts = most > 1 ? bestSplit(items, ground) : undefined;
  if (!parts) return [one];
  const narrow = growTree(parts.narrow, ground);
  const wide = growTree(parts.wide, ground);
  const several = [narrow, ...cheapest(parts.wide, wide, most - 1, ground)];
  return costOf(several, ground.tuning) < one.cost ? several : [one];
}

interface Split {
  /** Items of the rules that lie in blocks of the cut. */
  readonly narrow: Int32Array;
  readonly wide: Int32Array;
}

/** The split after which a packet has the least to meet, if the wide rules were a chain. */
function bestSplit(items: Int32Array, { items: { rules }, cuts }: Ground): Split | undefined {
  let best: Split | undefined;
  let least = items.length ** 2;
  for (const cut of cuts) {
    const split = splitBy(cut, items, rules);
    const outlook = split.wide.length > 0 ? outlookOf(split.narrow, cut) : undefined;
    if (!outlook) continue;
    const cost = split.narrow.length * outlook.met + split.wide.length ** 2;
    if (cost < least) [best, least] = [split, cost];
  }
  return best;
}

/** A rule is wide if one of its items is. */
function splitBy(cut: Cut, items: Int32Array, rules: Int32Array): Split {
  const wide = new Set<number>();
  for (const item of items) if (!ownBlocks(item, cut)) wide.add(rules[item] as number);
  const isWide = (item: number) => wide.has(rules[item] as number);
  return { narrow: items.filter((item) => !isWide(item)), wide: items.filter(isWide) };
}
