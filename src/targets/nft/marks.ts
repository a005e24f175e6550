import type { Rule, Verdict } from "../../compiler/ir/policy.js";
import { ruleCounter } from "./names.js";
import { DECIDES, type Ending, isVerdict } from "./rules.js";
import { verdictText } from "./verdicts.js";

/**
 * Where a stage is several trees, each finds the first of its own rules, and the first of these decides. What has been found
 * so far is the packet's mark: the larger, the earlier the rule; 0: nothing. Nobody else meets it, as packets leave the
 * stage without a mark.
 */

/** The lowest bits of a mark say the verdict: 1, 2 or 3. */
const VERDICTS = ["drop", "allow", "reject"] as const satisfies readonly Verdict[];
const CODES = 4;
/** The bits above them say which tree, from 1, found the rule. */
const TREES = 8;

export const FORGET = "meta mark set 0";

/** The mark of a rule with `left` rules from it to the end of the stage. */
export function markOf({ action }: Rule, left: number, tree: number): number {
  const code = isVerdict(action) ? VERDICTS.indexOf(action.kind) + 1 : 0;
  return (left * TREES + tree) * CODES + code;
}

/** Whether no rule before the one with this mark has been found. */
export function guard(mark: number): string {
  return `meta mark < ${mark}`;
}

/** What may have been found before, of packets that the rule matches. */
export interface Before {
  /** Some rule, so that they may have a mark. */
  readonly some: boolean;
  /** An earlier rule, so that this one may come too late. */
  readonly earlier: boolean;
}

/** The rule is found. */
export function marking(mark: number, tree: number, { earlier }: Before): Ending {
  return {
    guard: earlier ? guard(mark) : "",
    verdict: () => `meta mark set ${mark} return`,
    comesBack: [leave(tree)],
  };
}

/** The rule counts and decides. */
export function deciding(mark: number, { some, earlier }: Before): Ending {
  if (!some) return DECIDES;
  return {
    guard: earlier ? guard(mark) : "",
    verdict: ({ name }, verdict) => `counter name ${ruleCounter(name)} ${withoutMark(verdict)}`,
    comesBack: [],
  };
}

/** Ends a tree for packets whose rule it has found, where they come back from another chain. */
export function leave(tree: number): string {
  return `meta mark & ${(TREES - 1) * CODES} == ${tree * CODES} return`;
}

function withoutMark(verdict: Verdict): string {
  return verdict === "drop" ? verdictText(verdict) : `${FORGET} ${verdictText(verdict)}`;
}

export interface Found {
  readonly rule: Rule;
  readonly mark: number;
}

/** Counts and decides what was found; packets without a mark go on. */
export function foundLines(found: readonly Found[]): readonly string[] {
  if (found.length === 0) return [];
  const elements = found.map(({ rule, mark }) => `${mark} : "${ruleCounter(rule.name)}"`);
  const verdicts = new Set<string>(found.map(({ rule }) => rule.action.kind));
  return [
    "counter name meta mark map {",
    ...elements.map((element, index) => `\t${element}${index < elements.length - 1 ? "," : ""}`),
    "}",
    ...VERDICTS.filter((verdict) => verdicts.has(verdict)).map(
      (verdict) => `meta mark & ${CODES - 1} == ${VERDICTS.indexOf(verdict) + 1} ${withoutMark(verdict)}`,
    ),
  ];
}
