import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { rivalled } from "./classifier/conflicts.js";
import { plantForest } from "./classifier/forest.js";
import { type Items, itemsOf } from "./classifier/items.js";
import { openIn, protocolsIn, type Region } from "./classifier/region.js";
import { rulesIn, type Tree } from "./classifier/tree.js";
import type { Tuning } from "./classifier/tuning.js";
import type { Part } from "./condition.js";
import { deciding, FORGET, type Found, foundLines, guard, leave, marking, markOf } from "./marks.js";
import { DEFAULT_COUNTER, treeChain } from "./names.js";
import { DECIDES, type Ending, emitRule, type LoweredRule, lowerRule } from "./rules.js";
import { emitTree, type Planted } from "./trees.js";
import { verdictText } from "./verdicts.js";

/** The firewall for one part of all packets. */
interface Stage {
  readonly policy: Policy;
  readonly part: Part;
  /** The name of its first chain. */
  readonly chain: string;
  /** The rules that some of the packets may match, in their order. */
  readonly rules: readonly LoweredRule[];
}

const CHAINS = { whole: "firewall", laterFragment: "later-fragments" } as const satisfies Record<
  Part,
  string
>;

/**
 * The rules as a chain while they are few, else as trees that find those that a packet may match; then the default.
 * Returns the rules whose own chains are still to be written.
 */
export function emitStage(text: Text, policy: Policy, part: Part, tuning: Tuning): readonly LoweredRule[] {
  const rules = policy.firewall.rules
    .map((rule) => lowerRule(rule, part))
    .filter(({ lines }) => lines.length > 0);
  const stage: Stage = { policy, part, chain: CHAINS[part], rules };
  const lines = rules.reduce((sum, rule) => sum + rule.lines.length, 0);
  return lines <= tuning.chainLines ? emitChain(text, stage) : emitTrees(text, stage, tuning);
}

function emitTrees(text: Text, stage: Stage, tuning: Tuning): readonly LoweredRule[] {
  const rules = stage.rules.map(({ rule }) => rule);
  const items = itemsOf(rules, stage.policy.lists, stage.part);
  const trees = plantForest(items, tuning);
  const [first, ...others] = trees;
  return first && others.length === 0
    ? emitOneTree(text, stage, first, items)
    : emitForest(text, stage, trees, items);
}

function emitChain(text: Text, { policy, chain, rules }: Stage): readonly LoweredRule[] {
  text.line();
  text.block(`chain ${chain} {`, () => {
    for (const rule of rules) emitRule(text, rule);
    emitDefault(text, policy);
  });
  return rules;
}

function emitOneTree(text: Text, stage: Stage, tree: Tree, items: Items): readonly LoweredRule[] {
  const { policy, chain, rules } = stage;
  const root = treeChain(chain, 1);
  text.line();
  text.block(`chain ${chain} {`, () => {
    text.line(`jump ${root}`);
    emitDefault(text, policy);
  });
  const linesIn = (place: number, region: Region) =>
    linesWithin(region, ruleAt(rules, place), stage, items, DECIDES);
  emitTree(text, tree, { root, linesIn, leave: () => [] });
  return [...rulesIn(tree)].map((place) => ruleAt(rules, place));
}

/** Each tree finds the first of its rules, and the first of all of these decides: see marks.ts. */
function emitForest(text: Text, stage: Stage, trees: readonly Tree[], items: Items): readonly LoweredRule[] {
  const planted: PlantedTree[] = [];
  while (planted.length < trees.length) planted.push(plant(stage, trees, planted, items));
  text.line();
  text.block(`chain ${stage.chain} {`, () => {
    text.line(FORGET);
    planted.forEach(({ root, earliest }, index) => {
      text.line(index === 0 ? `jump ${root}` : `${guard(earliest)} jump ${root}`);
    });
    text.lines(foundLines(planted.flatMap(({ found }) => found).sort((a, b) => b.mark - a.mark)));
    emitDefault(text, stage.policy);
  });
  planted.forEach((one, index) => {
    emitTree(text, trees[index] as Tree, one);
  });
  return planted.flatMap(({ rules }) => rules);
}

interface PlantedTree extends Planted {
  readonly rules: readonly LoweredRule[];
  /** The mark of its earliest rule. */
  readonly earliest: number;
  /** Its rules that only leave a mark, since an earlier one in a tree behind may match the same packet. */
  readonly waiting: ReadonlySet<number>;
  readonly found: readonly Found[];
}

/** The next tree behind those that are planted. */
function plant(
  stage: Stage,
  trees: readonly Tree[],
  before: readonly PlantedTree[],
  items: Items,
): PlantedTree {
  const { rules, part, chain } = stage;
  const number = before.length + 1;
  const own = rulesIn(trees[before.length] as Tree);
  const behind = new Set(trees.slice(number).flatMap((tree) => [...rulesIn(tree)]));
  const marked = new Set(before.flatMap(({ waiting }) => [...waiting]));
  const waiting = rivalled(own, behind, "earlier", items);
  const afterSome = rivalled(own, marked, "any", items);
  const afterEarlier = rivalled(own, marked, "earlier", items);
  const markAt = (place: number) => markOf(ruleAt(rules, place).rule, rules.length - place, number);
  const endings = new Map(
    [...own].map((place): [number, Ending] => {
      const found = { some: afterSome.has(place), earlier: afterEarlier.has(place) };
      const mark = markAt(place);
      return [place, waiting.has(place) ? marking(mark, number, found) : deciding(mark, found)];
    }),
  );
  const lowered = new Map(
    [...endings].map(([place, ending]) => [place, lowerRule(ruleAt(rules, place).rule, part, ending)]),
  );
  return {
    root: treeChain(chain, number),
    linesIn: (place, region) => linesWithin(region, at(lowered, place), stage, items, at(endings, place)),
    leave: (tree) => ([...rulesIn(tree)].some((place) => waiting.has(place)) ? [leave(number)] : []),
    rules: [...lowered.values()],
    earliest: [...own].reduce((most, place) => Math.max(most, markAt(place)), 0),
    waiting,
    found: [...waiting].map((place) => ({ rule: ruleAt(rules, place).rule, mark: markAt(place) })),
  };
}

/** The lines of a rule for packets of a region: they ask nothing of which the answer is known there. */
function linesWithin(
  region: Region,
  { rule, lines, chain }: LoweredRule,
  { part }: Stage,
  items: Items,
  ending: Ending,
): readonly string[] {
  if (region.size === 0 || chain) return lines;
  const open = { ...rule, match: openIn(rule.match, region, items) };
  const within = lowerRule(open, part, ending, protocolsIn(region, items));
  return within.chain ? lines : within.lines;
}

function ruleAt(rules: readonly LoweredRule[], place: number): LoweredRule {
  const rule = rules[place];
  invariant(rule, `the stage has a rule at ${place}`);
  return rule;
}

function at<T>(rules: ReadonlyMap<number, T>, place: number): T {
  const found = rules.get(place);
  invariant(found, `the tree has the rule at ${place}`);
  return found;
}

function emitDefault(text: Text, { firewall }: Policy): void {
  const verdict = verdictText(firewall.default);
  text.line("# no rule decided");
  text.line(`counter name ${DEFAULT_COUNTER} ${verdict} comment "${DEFAULT_COUNTER}"`);
}
