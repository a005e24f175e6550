import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readClassBench } from "./rulesets/classbench.js";
import type { FlowRule } from "./rulesets/flow-rule.js";
import { generateRules, SET_KINDS } from "./rulesets/generate.js";

/** Rules to measure with. */
export interface RuleSet {
  readonly name: string;
  /** Sets of one family differ in size alone. */
  readonly family: string;
  readonly rules: readonly FlowRule[];
}

const SIZES = [10, 100, 1000, 10_000];
const QUICK_SIZES = [10, 100];
const TINY = 10;
const SEED = 20_260;

export function ownSets(quick: boolean): readonly RuleSet[] {
  return SET_KINDS.flatMap((kind) =>
    (quick ? QUICK_SIZES : SIZES).map((size) => ({
      name: `${kind} ${size}`,
      family: kind,
      rules: generateRules(kind, size, SEED),
    })),
  );
}

/**
 * Every file of a folder that is a ClassBench set, and of each family the first ten rules, which costs at large sizes are
 * held against. `complain` hears of lines that are left out.
 */
export function classBenchSets(folder: string, complain: (problem: string) => void): readonly RuleSet[] {
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  const sets = files.sort().flatMap((name) => {
    const { rules, problems } = readClassBench(readFileSync(join(folder, name), "utf8"));
    if (rules.length === 0) return [];
    for (const problem of problems) complain(`${name}, ${problem}`);
    return [{ name, family: name.replace(/_?\d+k?$/, ""), rules }];
  });
  const families = new Map(sets.filter(({ rules }) => rules.length > TINY).map((set) => [set.family, set]));
  const tiny = [...families.values()].map(({ family, rules }) => {
    return { name: `${family}_${TINY}`, family, rules: rules.slice(0, TINY) };
  });
  return [...sets, ...tiny];
}
