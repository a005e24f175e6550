import type { Expr } from "../compiler/ir/expr.js";
import type { Action, Limit, Policy, Rule, Stage, Verdict } from "../compiler/ir/policy.js";
import { mutatedMatches } from "./mutated.js";

/**
 * A policy that differs from another one by one small mistake, as an author or a compiler could make it. What it
 * takes to see the difference depends on the kind: see witness.ts.
 */
export type Mutant = {
  /** As in "ftp: tcp.dstport 21 is 22". */
  readonly what: string;
  readonly policy: Policy;
} & Change;

/** Where the mutant differs; `index` counts the stage's rules. */
export type Change =
  /** The rule matches other packets: `differs` holds for them. */
  | {
      readonly kind: "match";
      readonly stage: Stage;
      readonly index: number;
      readonly match: Expr;
      readonly differs: Expr;
    }
  /** What the rule does is another thing, or nothing. */
  | { readonly kind: "action"; readonly stage: Stage; readonly index: number }
  /** The rule and the one behind it have changed places. */
  | { readonly kind: "order"; readonly stage: Stage; readonly index: number }
  | { readonly kind: "default" };

/** All mutants of a policy, rule by rule. */
export function mutantsOf(policy: Policy): readonly Mutant[] {
  return [
    ...(["mitigate", "firewall"] as const).flatMap((stage) =>
      rulesIn(policy, stage).flatMap((rule, index) => [
        ...matchMutants(policy, stage, rule, index),
        ...actionMutants(policy, stage, rule, index),
        ...orderMutants(policy, stage, index),
      ]),
    ),
    ...defaultMutants(policy),
  ];
}

export function rulesIn({ mitigate, firewall }: Policy, stage: Stage): readonly Rule[] {
  return stage === "mitigate" ? mitigate : firewall.rules;
}

function withRules(policy: Policy, stage: Stage, rules: readonly Rule[]): Policy {
  if (stage === "mitigate") return { ...policy, mitigate: rules };
  return { ...policy, firewall: { ...policy.firewall, rules } };
}

function matchMutants(policy: Policy, stage: Stage, rule: Rule, index: number): readonly Mutant[] {
  return mutatedMatches(rule.match, policy).map(({ what, expr: match, differs }) => {
    const rules = rulesIn(policy, stage).with(index, { ...rule, match });
    const changed = withRules(policy, stage, rules);
    return { kind: "match", stage, index, match, differs, what: `${rule.name}: ${what}`, policy: changed };
  });
}

function actionMutants(policy: Policy, stage: Stage, rule: Rule, index: number): readonly Mutant[] {
  const rules = rulesIn(policy, stage);
  const change = { kind: "action", stage, index } as const;
  const acts = otherActions(rule.action, stage).map(({ what, action }) => {
    const changed = withRules(policy, stage, rules.with(index, { ...rule, action }));
    return { ...change, what: `${rule.name}: ${what}`, policy: changed };
  });
  const removed = withRules(policy, stage, rules.toSpliced(index, 1));
  return [...acts, { ...change, what: `${rule.name} is gone`, policy: removed }];
}

function otherActions(
  action: Action,
  stage: Stage,
): readonly { readonly what: string; readonly action: Action }[] {
  const verdicts =
    stage === "firewall" ? (["allow", "drop", "reject"] as const) : (["allow", "drop"] as const);
  const others = [...verdicts, "count" as const]
    .filter((kind) => kind !== action.kind)
    .map((kind) => ({ what: `${action.kind} is ${kind}`, action: { kind } }));
  // What a `log` writes down is no part of a verdict, and it counts like a `count`.
  const seen = others.filter(({ action: { kind } }) => !(action.kind === "log" && kind === "count"));
  return action.kind === "limit" ? [...seen, ...otherLimits(action.limit)] : seen;
}

function otherLimits(limit: Limit): readonly { readonly what: string; readonly action: Action }[] {
  const { burst, interval } = limit;
  const others: readonly (readonly [what: string, limit: Limit])[] = [
    ["one packet more at once", { ...limit, burst: burst + 1n }],
    ["one packet less at once", { ...limit, burst: burst - 1n }],
    ["a slower rate", { ...limit, interval: interval + 1n }],
    ["a faster rate", { ...limit, interval: interval - 1n }],
  ];
  return others
    .filter(([, other]) => other.burst > 0n && other.interval > 0n)
    .map(([what, other]) => ({ what, action: { kind: "limit", limit: other } }));
}

function orderMutants(policy: Policy, stage: Stage, index: number): readonly Mutant[] {
  const rules = rulesIn(policy, stage);
  const [first, second] = rules.slice(index, index + 2);
  if (!first || !second) return [];
  const swapped = rules.with(index, second).with(index + 1, first);
  const what = `${first.name} and ${second.name} change places`;
  return [{ kind: "order", stage, index, what, policy: withRules(policy, stage, swapped) }];
}

function defaultMutants(policy: Policy): readonly Mutant[] {
  const { firewall } = policy;
  const others = (["allow", "drop", "reject"] satisfies readonly Verdict[]).filter(
    (one) => one !== firewall.default,
  );
  return others.map((one) => ({
    kind: "default",
    what: `default ${firewall.default} is ${one}`,
    policy: { ...policy, firewall: { ...firewall, default: one } },
  }));
}
