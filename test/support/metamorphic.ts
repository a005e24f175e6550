import type { Chance } from "../../src/compiler/analysis/chance.js";
import { type Expr, isTest, type Test } from "../../src/compiler/ir/expr.js";
import type { Intervals } from "../../src/compiler/ir/intervals.js";
import { isTerminal, type Policy, type Rule, type Stage } from "../../src/compiler/ir/policy.js";

/** Two policies that say the same in different words. */
export interface Pair {
  readonly one: Policy;
  readonly other: Policy;
  /** The rule of `one` that a rule of `other` is, or is a part of, by name. */
  readonly nameIn: (other: string) => string;
}

/** null: the policy has nothing to change so. */
export type Change = (policy: Policy, chance: Chance) => Pair | null;

const same = (name: string) => name;

type Rules = readonly Rule[];

function withRules(policy: Policy, stage: Stage, rules: Rules): Policy {
  if (stage === "mitigate") return { ...policy, mitigate: rules };
  return { ...policy, firewall: { ...policy.firewall, rules } };
}

function rulesAt(policy: Policy, stage: Stage): Rules {
  return stage === "mitigate" ? policy.mitigate : policy.firewall.rules;
}

/** Changes the rules of one stage around one of them. */
function aroundRule(
  fits: (rule: Rule) => boolean,
  change: (rule: Rule, chance: Chance) => Rules,
): (policy: Policy, chance: Chance) => Policy | null {
  return (policy, chance) => {
    const stage = chance.oneIn(2) ? "mitigate" : "firewall";
    const rules = rulesAt(policy, stage);
    const at = chance.below(rules.length);
    const rule = rules[at];
    if (!rule || !fits(rule)) return null;
    return withRules(policy, stage, [...rules.slice(0, at), ...change(rule, chance), ...rules.slice(at + 1)]);
  };
}

function all(one: Expr, ...more: readonly Expr[]): Expr {
  return { kind: "and", operands: [one, ...more], span: one.span };
}

function not(operand: Expr): Expr {
  return { kind: "not", operand, span: operand.span };
}

/** Behind a rule that ends the stage, one that would do the opposite with a part of its packets. */
const shadowed: Change = (policy, chance) => {
  const insert = aroundRule(isTerminal, (rule) => {
    const kind = rule.action.kind === "drop" ? "allow" : "drop";
    const behind: Rule = {
      ...rule,
      name: "shadowed",
      action: { kind },
      match: all(rule.match, policy.firewall.rules[0]?.match ?? rule.match),
    };
    return [rule, behind];
  });
  const other = insert(policy, chance);
  return other && { one: policy, other, nameIn: same };
};

/** Two neighbours of which no packet meets both, in either order. */
const swapped: Change = (policy, chance) => {
  const stage = chance.oneIn(2) ? "mitigate" : "firewall";
  const rules = rulesAt(policy, stage);
  const at = chance.below(rules.length - 1);
  const [first, second] = rules.slice(at, at + 2);
  if (!first || !second) return null;
  const apart = { ...second, match: all(not(first.match), second.match) };
  const around = (...pair: Rules) => [...rules.slice(0, at), ...pair, ...rules.slice(at + 2)];
  return {
    one: withRules(policy, stage, around(first, apart)),
    other: withRules(policy, stage, around(apart, first)),
    nameIn: same,
  };
};

/** The packets below and above the middle of a range, in two rules; not of a limit, whose allowance they would share. */
const splitRule: Change = (policy, chance) => {
  const split = aroundRule(
    ({ action }) => action.kind !== "limit" && action.kind !== "log",
    (rule, choose) => {
      const low = choose.among(halvesIn(rule.match));
      if (!low) return [];
      return [
        { ...rule, name: `${rule.name}-low`, match: all(rule.match, low) },
        { ...rule, name: `${rule.name}-high`, match: all(rule.match, not(low)) },
      ];
    },
  );
  const other = split(policy, chance);
  const whole = rulesAt(policy, "mitigate").length + policy.firewall.rules.length;
  if (!other || other.mitigate.length + other.firewall.rules.length < whole) return null;
  return { one: policy, other, nameIn: (name) => name.replace(/-(low|high)$/, "") };
};

/** For each range of the expression's tests, its test with the lower half alone. */
function halvesIn(expr: Expr): readonly Test[] {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return expr.operands.flatMap(halvesIn);
    case "not":
      return halvesIn(expr.operand);
    case "address":
    case "number":
      return expr.ranges.flatMap((_, at) => {
        const [low, high] = cut(expr.ranges, at);
        return low && high ? [{ ...expr, ranges: low }] : [];
      });
    default:
      return [];
  }
}

/** Everything up to the middle of the range at `at`, and everything behind; nothing if it has no middle. */
function cut(ranges: Intervals, at: number): readonly Intervals[] {
  const range = ranges[at];
  if (!range || range.low === range.high) return [];
  const middle = (range.low + range.high) / 2n;
  return [
    [...ranges.slice(0, at), { low: range.low, high: middle }],
    [{ low: middle + 1n, high: range.high }, ...ranges.slice(at + 1)],
  ];
}

/** Changes every expression from its leaves on. */
function everywhere(change: (expr: Expr, policy: Policy) => Expr): Change {
  return (policy) => {
    const changed = (expr: Expr): Expr => change(inside(expr, changed), policy);
    const rules = (list: Rules) => list.map((rule) => ({ ...rule, match: changed(rule.match) }));
    const firewall = { ...policy.firewall, rules: rules(policy.firewall.rules) };
    return { one: policy, other: { ...policy, mitigate: rules(policy.mitigate), firewall }, nameIn: same };
  };
}

function inside(expr: Expr, changed: (expr: Expr) => Expr): Expr {
  if (expr.kind === "not") return { ...expr, operand: changed(expr.operand) };
  return "operands" in expr ? { ...expr, operands: expr.operands.map(changed) } : expr;
}

const splitRange = everywhere((expr) => {
  if (expr.kind !== "address" && expr.kind !== "number") return expr;
  const [low, high] = expr.ranges.map((_, at) => cut(expr.ranges, at)).find(({ length }) => length > 0) ?? [];
  if (!low || !high) return expr;
  return {
    kind: "or",
    operands: [
      { ...expr, ranges: low },
      { ...expr, ranges: high },
    ],
    span: expr.span,
  };
});

const reordered = everywhere((expr) =>
  "operands" in expr ? { ...expr, operands: [...expr.operands].reverse() } : expr,
);

const doubleNegation = everywhere((expr) => not(not(expr)));

const deMorgan = everywhere((expr) => {
  if (expr.kind !== "and" && expr.kind !== "or") return expr;
  const kind = expr.kind === "and" ? "or" : "and";
  return not({ ...expr, kind, operands: expr.operands.map(not) });
});

const inlined = everywhere((expr, { lists }) => {
  if (!isTest(expr) || expr.kind !== "list") return expr;
  const { field, family, needs, span } = expr;
  const ranges = lists.find(({ name }) => name === expr.list)?.[family] ?? [];
  return { kind: "address", field, family, ranges, needs, span };
});

const renamed: Change = (policy, chance) => {
  const listNamed = everywhere((expr) =>
    expr.kind === "list" ? { ...expr, list: `their-${expr.list}` } : expr,
  );
  const pair = listNamed(policy, chance);
  if (!pair) return null;
  const rename = (rules: Rules) => rules.map((rule) => ({ ...rule, name: `our-${rule.name}` }));
  const { mitigate, firewall, lists } = pair.other;
  const other = {
    ...pair.other,
    mitigate: rename(mitigate),
    firewall: { ...firewall, rules: rename(firewall.rules) },
    lists: lists.map((list) => ({ ...list, name: `their-${list.name}` })),
  };
  return { one: policy, other, nameIn: (name) => name.replace(/^our-/, "") };
};

export const CHANGES = {
  "a shadowed rule more": shadowed,
  "disjoint neighbours swapped": swapped,
  "a rule in two by the middle of a range": splitRule,
  "ranges and prefixes in halves": splitRange,
  "rules and lists renamed": renamed,
  "operands in another order": reordered,
  "everything negated twice": doubleNegation,
  "De Morgan": deMorgan,
  "lists written out": inlined,
} as const satisfies Readonly<Record<string, Change>>;
