import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { rivalled } from "./classifier/conflicts.js";
import { plantForest } from "./classifier/forest.js";
import { type Items, itemsOf } from "./classifier/items.js";
import { rulesIn, type Tree } from "./classifier/tree.js";
import type { Tuning } from "./classifier/tuning.js";
import type { Part } from "./condition.js";
import { deciding, FORGET, type Found, foundLines, guard, leave, marking, markOf } from "./marks.js";
import { DEFAULT_COUNTER, treeChain } from "./names.js";
import { emitRule, type LoweredRule, lowerRule } from "./rules.js";
import { emitTree } from "./trees.js";
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
    ? emitOneTree(text, stage, first)
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

function emitOneTree(text: Text, { policy, chain, rules }: Stage, tree: Tree): readonly LoweredRule[] {
  const root = treeChain(chain, 1);
  text.line();
  text.block(`chain ${chain} {`, () => {
    text.line(`jump ${root}`);
    emitDefault(text, policy);
  });
  emitTree(text, tree, { root, rules: new Map(rules.entries()), leave: [] });
  return [...rulesIn(tree)].map((place) => ruleAt(rules, place));
}

/** Each tree finds the first of its rules, and the first of all of these decides: see marks.ts. */
function emitForest(text: Text, stage: Stage, trees: readonly Tree[], items: Items): readonly LoweredRule[] {
  const planted = trees.map((_, index) => plant(stage, trees, index, items));
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
  return planted.flatMap(({ rules }) => [...rules.values()]);
}

interface PlantedTree {
  readonly root: string;
  readonly rules: ReadonlyMap<number, LoweredRule>;
  readonly leave: readonly string[];
  /** The mark of its earliest rule. */
  readonly earliest: number;
  /** The rules that only leave a mark, since an earlier one in a tree behind may match the same packet. */
  readonly found: readonly Found[];
}

function plant(
  { rules, part, chain }: Stage,
  trees: readonly Tree[],
  index: number,
  items: Items,
): PlantedTree {
  const number = index + 1;
  const own = rulesIn(trees[index] as Tree);
  const behind = new Set(trees.slice(number).flatMap((tree) => [...rulesIn(tree)]));
  const wait = rivalled(own, behind, items);
  const marks = new Map(
    [...own].map((place) => [place, markOf(ruleAt(rules, place).rule, rules.length - place, number)]),
  );
  const lowered = [...marks].map(([place, mark]): [number, LoweredRule] => [
    place,
    lowerRule(
      ruleAt(rules, place).rule,
      part,
      wait.has(place) ? marking(mark, number) : deciding(mark, number),
    ),
  ]);
  return {
    root: treeChain(chain, number),
    rules: new Map(lowered),
    leave: wait.size > 0 ? [leave(number)] : [],
    earliest: [...marks.values()].reduce((a, b) => Math.max(a, b), 0),
    found: [...marks].flatMap(([place, mark]) =>
      wait.has(place) ? { rule: ruleAt(rules, place).rule, mark } : [],
    ),
  };
}

function ruleAt(rules: readonly LoweredRule[], place: number): LoweredRule {
  const rule = rules[place];
  invariant(rule, `the stage has a rule at ${place}`);
  return rule;
}

function emitDefault(text: Text, { firewall }: Policy): void {
  const verdict = verdictText(firewall.default);
  text.line("# no rule decided");
  text.line(`counter name ${DEFAULT_COUNTER} ${verdict} comment "${DEFAULT_COUNTER}"`);
}
