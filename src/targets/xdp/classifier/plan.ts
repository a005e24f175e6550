import {
  type Classifier,
  type Condition,
  classifierOf,
  type Questions,
  tableEffort,
} from "../../../compiler/analysis/classify/classifier.js";
import { impossible } from "../../../compiler/diagnostics/invariant.js";
import type { Family } from "../../../compiler/ir/address.js";
import type { Action, Policy, Rule } from "../../../compiler/ir/policy.js";
import { answerCost, MAX_INSTRUCTIONS } from "../cost.js";
import { asked, type EarlyStep, earlyStep } from "../early.js";
import { fits } from "../fits.js";
import { usedLists } from "../maps.js";
import { type ProgramCode, programCode } from "./program.js";
import { MOST_STEPS } from "./tree.js";

/** How a customer's program judges by tables: what is left for emit.ts to write around it. */
export interface Plan extends ProgramCode {
  readonly families: readonly Family[];
  /** The rules that are limits, in the order of their maps. */
  readonly limits: readonly Rule[];
  readonly early: EarlyStep | null;
}

/** In order, and in the two lowest bits of a value: enum tg_outcome in bpf-templates/classify.h. */
const OUTCOME = { drop: 0, pass: 1, on: 2, forward: 3 } as const;

/** More conditions than this are looked up in tables; so many are as fast, and easier to read, one after the other. */
export const LINEAR = 32;

/** How rules are judged: one after the other, or looked up in tables, or in vectors where tables have no room. */
export type Form = "linear" | "tables" | "vectors";

/** Conditions that stand one after the other at most, and steps that tables may take to make; of the first, what the compiler chooses. */
const FORMS = {
  chosen: { linear: LINEAR, effortFor: tableEffort },
  linear: { linear: Number.POSITIVE_INFINITY, effortFor: tableEffort },
  tables: { linear: 0, effortFor: tableEffort },
  vectors: { linear: 0, effortFor: () => 0 },
} as const satisfies Readonly<Record<Form | "chosen", object>>;

const plans = new WeakMap<Policy, Map<keyof typeof FORMS, Plan | null>>();

/** null: the policy has few rules, or asks what tables of bounded size cannot say. The same object for the same policy. */
export function planOf(policy: Policy, form: keyof typeof FORMS = "chosen"): Plan | null {
  const known = plans.get(policy) ?? new Map<keyof typeof FORMS, Plan | null>();
  plans.set(policy, known);
  const plan = known.get(form) ?? made(policy, FORMS[form]);
  known.set(form, plan);
  return plan;
}

function made(policy: Policy, { linear, effortFor }: (typeof FORMS)[keyof typeof FORMS]): Plan | null {
  if (asked(policy).length <= linear && longestList(policy) <= LONG_LIST && fits(policy)) return null;
  const early = earlyStep(policy);
  const limits = policy.mitigate.filter(({ action }) => action.kind === "limit");
  const questions = [mitigateQuestions(policy), ...(early ? [firewallQuestions(policy, early)] : [])];
  const families = ([4, 6] as const).filter((family) =>
    policy.prefixes.some(({ prefix }) => prefix.family === family),
  );
  const classifiers: Classifier[] = [];
  for (const family of families) {
    const classifier = classifierOf(questions, family, policy.lists, effortFor);
    if (!classifier) return null;
    classifiers.push(classifier);
  }
  const passed = (value: number) => passedRule(policy, limits, value);
  const code = programCode({ classifiers, stages: ["mitigate", "firewall"], passed });
  const isWithin = code.image.room <= LARGEST_DATA && code.depth <= MOST_STEPS && isShort(classifiers);
  return isWithin ? { ...code, families, limits, early } : null;
}

/** What asks the questions of vectors, which may be many, has room in a program as rules one below the other have. */
function isShort(classifiers: readonly Classifier[]): boolean {
  const stages = classifiers.flatMap(({ stages: all }) => all.filter((stage) => stage.kind === "vectors"));
  const steps = stages.flatMap(({ paths }) =>
    paths.flatMap(({ blocks }) => blocks.flatMap((one) => one.steps)),
  );
  return steps.reduce((sum, { question }) => sum + answerCost(question), 0) <= MAX_INSTRUCTIONS;
}

/** Half of what one frame to the loader may hold (runtime/frame.ts); about a million prefixes. */
const LARGEST_DATA = 32 * 1024 * 1024;

/** A trie of the kernel's is slower than tables when it has more prefixes than this. */
const LONG_LIST = 1024;

function longestList(policy: Policy): number {
  return usedLists(policy).reduce((most, { list, family }) => Math.max(most, list[family].length), 0);
}

function mitigateQuestions({ mitigate }: Policy): Questions {
  const conditions = mitigate.map(({ match, action }, index) => ({
    kind: action.kind,
    condition: { match, value: ruleValue(index, action.kind === "allow" ? "pass" : "drop") },
  }));
  const isPassed = (kind: Action["kind"]) => kind === "limit" || kind === "count";
  return {
    decides: conditions.filter(({ kind }) => !isPassed(kind)).map(({ condition }) => condition),
    passes: conditions.filter(({ kind }) => isPassed(kind)).map(({ condition }) => condition),
  };
}

function firewallQuestions({ mitigate }: Policy, { unasked, questions }: EarlyStep): Questions {
  const first = mitigate.length + 1;
  const decides = questions.map(
    ({ match, index, ends }): Condition => ({ match, value: ruleValue(first + index, ends) }),
  );
  const before = unasked ? [{ match: unasked, value: ruleValue(0, "on") }] : [];
  return { decides: [...before, ...decides], passes: [] };
}

function ruleValue(counter: number, outcome: keyof typeof OUTCOME): number {
  return (counter << 2) | OUTCOME[outcome];
}

/** enum tg_passed_kind in bpf-templates/classify.h. */
const PASSED = { count: 0, all: 1, "ip.src": 2, "ip.dst": 3 } as const;

/** struct tg_passed_rule in bpf-templates/classify.h, as cells. */
function passedRule({ mitigate }: Policy, limits: readonly Rule[], value: number): readonly number[] {
  const rule = mitigate[value >>> 2] ?? impossible("a value is of a rule");
  const { action } = rule;
  if (action.kind !== "limit") return [value, PASSED.count, 0, 0, 0, 0, 0, 0];
  const { interval, burst, per } = action.limit;
  return [value, PASSED[per ?? "all"], limits.indexOf(rule), 0, ...wide(interval), ...wide(burst)];
}

function wide(number: bigint): readonly number[] {
  return [Number(number & 0xffff_ffffn), Number(number >> 32n)];
}
