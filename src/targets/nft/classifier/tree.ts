import type { Box } from "../../../compiler/analysis/boxes.js";
import { type Block, type Cut, divide, type Outlook, outlookOf } from "./cut.js";
import type { Items } from "./items.js";
import { isAll, type Region, regionWithin } from "./region.js";
import type { Tuning } from "./tuning.js";

/**
 * How to find the rules that a packet may match: questions, one after the other. The answer of the first that knows the
 * packet's value sends it on; behind the questions stand the rules that none of the answers has.
 */
export interface Tree {
  readonly questions: readonly Question[];
  /** By their places in the stage, ascending. */
  readonly rules: readonly number[];
  /** What is known of the packets that come here. */
  readonly region: Region;
  /** What finding its rule costs a packet that was aimed at one of the rules by chance. */
  readonly cost: number;
}

export interface Question {
  readonly cut: Cut;
  readonly answers: readonly Answer[];
}

export interface Answer extends Pick<Block, "block" | "complete"> {
  readonly tree: Tree;
}

/** What is the same for all trees of a stage. */
export interface Ground {
  readonly items: Items;
  readonly cuts: readonly Cut[];
  readonly tuning: Tuning;
}

/** A part of a tree that is still to grow. */
interface Plot {
  readonly items: Int32Array;
  /** How many items its lists may hold together. */
  readonly room: number;
  readonly region: Region;
  readonly level: number;
}

/** Each level is a chain that a verdict map leads to, and nf_tables follows 16 (NFT_JUMP_STACK_SIZE). */
const MOST_LEVELS = 7;
/** Each question costs the packets that it does not know. */
const MOST_QUESTIONS = 5;
/** Small stages may grow more. */
const SPARE_ROOM = 256;

export function growTree(items: Int32Array, ground: Ground): Tree {
  return grow(
    { items, room: ground.tuning.growth * items.length + SPARE_ROOM, region: new Map(), level: 0 },
    ground,
  );
}

function grow(plot: Plot, ground: Ground): Tree {
  const { line, lookup } = ground.tuning;
  const questions: Question[] = [];
  let rest = withoutShadowed(plot, ground.items);
  let { room } = plot;
  const open = ground.cuts.filter((cut) => !isAnswered(cut, plot.region, ground.items));
  let [cost, reached] = [0, 1];
  while (questions.length < MOST_QUESTIONS && plot.level < MOST_LEVELS) {
    const outlook = bestOutlook(rest, room, open, ground);
    if (!outlook) break;
    const division = divide(rest, outlook.cut, ground.items);
    const size = division.blocks.reduce((sum, { items }) => sum + items.length, division.rest.length);
    // More than was looked out for, where blocks must be finished.
    if (size > room) break;
    const share = room / size;
    const answers = division.blocks.map((block): Answer => {
      const region = regionWithin(plot.region, outlook.cut, block.block, ground.items);
      const inner = { items: block.items, room: share * block.items.length, region, level: plot.level + 1 };
      return { ...block, tree: grow(inner, ground) };
    });
    questions.push({ cut: outlook.cut, answers });
    const known = 1 - outlook.wide / rest.length;
    cost += reached * (lookup + known * meanCost(answers, division.blocks));
    reached *= 1 - known;
    room = share * division.rest.length;
    rest = division.rest;
  }
  const rules = [...new Set(Array.from(rest, (item) => ground.items.rules[item] as number))];
  return { questions, rules, region: plot.region, cost: cost + reached * rules.length * line };
}

/** Of packets that are aimed at the items of the blocks. */
function meanCost(answers: readonly Answer[], blocks: readonly Block[]): number {
  let [cost, size] = [0, 0];
  answers.forEach(({ tree }, index) => {
    const length = blocks[index]?.items.length ?? 0;
    cost += tree.cost * length;
    size += length;
  });
  return cost / size;
}

/** The cut after which a packet has the least to meet, growth considered; undefined: none is worth its lookup. */
function bestOutlook(
  items: Int32Array,
  room: number,
  cuts: readonly Cut[],
  { tuning }: Ground,
): Outlook | undefined {
  let best: Outlook | undefined;
  let least = items.length - tuning.lookup / tuning.line;
  if (least <= 0) return undefined;
  for (const cut of cuts) {
    const outlook = outlookOf(items, cut);
    if (!outlook || outlook.size > room) continue;
    const met = Math.max(outlook.met, tuning.shortList) + (tuning.list * outlook.blocks) / items.length;
    const cost = met * Math.sqrt(outlook.size / items.length);
    if (cost < least) [best, least] = [outlook, cost];
  }
  return best;
}

/** All packets that come here have their value in one block. */
function isAnswered({ asked, shift }: Cut, region: Region, { space }: Items): boolean {
  const index = space.indexOf(asked.subject.variable.key);
  const known = index === undefined ? undefined : region.get(index);
  return known !== undefined && (known[0] as number) >>> shift === (known.at(-1) as number) >>> shift;
}

/** The items up to the first whose rule decides for every packet that comes here. */
function withoutShadowed({ items, region }: Plot, { boxes, decides }: Items): Int32Array {
  const last = items.findIndex((item) => decides[item] === 1 && isAll(boxes[item] as Box, region));
  return last < 0 ? items : items.subarray(0, last + 1);
}

/** Every rule of the tree once. */
export function rulesIn(tree: Tree): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = ({ questions, rules }: Tree) => {
    for (const rule of rules) found.add(rule);
    for (const { answers } of questions) for (const answer of answers) visit(answer.tree);
  };
  visit(tree);
  return found;
}
