import type { Chance } from "../../src/compiler/analysis/chance.js";
import { type Expr, isTest, type Test } from "../../src/compiler/ir/expr.js";
import { intervals, type Range } from "../../src/compiler/ir/intervals.js";
import type { Action, Policy, Rule } from "../../src/compiler/ir/policy.js";

/**
 * One small mistake in a policy, by chance. It shares nothing with the mutants that src/verify makes: what finds those must find
 * these too.
 */
export interface Mistake {
  readonly what: string;
  readonly policy: Policy;
}

/** null: chance chose a place where there is nothing to be mistaken about. */
export function mistakeIn(policy: Policy, chance: Chance): Mistake | null {
  const kind = chance.among(KINDS);
  return kind ? kind(policy, chance) : null;
}

type Kind = (policy: Policy, chance: Chance) => Mistake | null;

const inCondition: Kind = (policy, chance) =>
  inRule(policy, chance, (rule) => {
    const at = chance.below(sizeOf(rule.match));
    const wrong = wrongly(rule.match, at, (part) => misread(part, chance));
    return wrong && { what: "condition", rules: [{ ...rule, match: wrong }] };
  });

const inAction: Kind = (policy, chance) =>
  inRule(policy, chance, (rule) => {
    const kind = chance.among(["allow", "drop", "count"] as const);
    if (kind === undefined || kind === rule.action.kind || isSeenAlike(rule.action, kind)) return null;
    return { what: `does ${kind}`, rules: [{ ...rule, action: { kind } }] };
  });

/** What `log` writes is not looked at, and it counts as `count` does. */
function isSeenAlike({ kind }: Action, other: string): boolean {
  return kind === "log" && other === "count";
}

const inOrder: Kind = (policy, chance) =>
  inStage(policy, chance, (rules) => {
    const at = chance.below(rules.length - 1);
    const [first, second] = rules.slice(at, at + 2);
    if (!first || !second) return null;
    return { what: `${first.name} behind ${second.name}`, rules: rules.toSpliced(at, 2, second, first) };
  });

const lost: Kind = (policy, chance) => inRule(policy, chance, () => ({ what: "lost", rules: [] }));

const byDefault: Kind = (policy, chance) => {
  const wrong = chance.among(["allow", "drop"] as const);
  const { firewall } = policy;
  if (wrong === undefined || wrong === firewall.default) return null;
  return { what: `default ${wrong}`, policy: { ...policy, firewall: { ...firewall, default: wrong } } };
};

/** Most mistakes are made in conditions. */
const KINDS: readonly Kind[] = [
  inCondition,
  inCondition,
  inCondition,
  inCondition,
  inAction,
  inOrder,
  lost,
  byDefault,
];

interface Changed {
  readonly what: string;
  readonly rules: readonly Rule[];
}

function inStage(
  policy: Policy,
  chance: Chance,
  change: (rules: readonly Rule[]) => Changed | null,
): Mistake | null {
  const { mitigate, firewall } = policy;
  if (chance.below(mitigate.length + firewall.rules.length) < mitigate.length) {
    const changed = change(mitigate);
    return changed && { what: changed.what, policy: { ...policy, mitigate: changed.rules } };
  }
  const changed = change(firewall.rules);
  return (
    changed && { what: changed.what, policy: { ...policy, firewall: { ...firewall, rules: changed.rules } } }
  );
}

function inRule(policy: Policy, chance: Chance, change: (rule: Rule) => Changed | null): Mistake | null {
  return inStage(policy, chance, (rules) => {
    const at = chance.below(rules.length);
    const rule = rules[at];
    const changed = rule ? change(rule) : null;
    return (
      changed && { what: `${rule?.name}: ${changed.what}`, rules: rules.toSpliced(at, 1, ...changed.rules) }
    );
  });
}

/** Parts of an expression, itself among them. */
function sizeOf(expr: Expr): number {
  return 1 + partsOf(expr).reduce((sum, part) => sum + sizeOf(part), 0);
}

function partsOf(expr: Expr): readonly Expr[] {
  if ("operands" in expr) return expr.operands;
  return expr.kind === "not" ? [expr.operand] : [];
}

/** The expression with its part number `at`, counted from the outside and the left, misread; null: that part cannot be. */
function wrongly(expr: Expr, at: number, misreading: (part: Expr) => Expr | null): Expr | null {
  if (at === 0) return misreading(expr);
  let before = 1;
  for (const [index, part] of partsOf(expr).entries()) {
    const size = sizeOf(part);
    if (at < before + size) {
      const wrong = wrongly(part, at - before, misreading);
      return wrong && withPart(expr, index, wrong);
    }
    before += size;
  }
  return null;
}

function withPart(expr: Expr, index: number, part: Expr): Expr {
  if (expr.kind === "not") return { ...expr, operand: part };
  return "operands" in expr ? { ...expr, operands: expr.operands.with(index, part) } : expr;
}

function misread(part: Expr, chance: Chance): Expr | null {
  if (chance.oneIn(6)) return { kind: "not", operand: part, span: part.span };
  if (chance.oneIn(6)) return { kind: "const", value: chance.oneIn(2), span: part.span };
  if ("operands" in part) return misjoined(part, chance);
  return isTest(part) ? misasked(part, chance) : null;
}

function misjoined(part: Extract<Expr, { readonly operands: unknown }>, chance: Chance): Expr | null {
  const kind = chance.among(["and", "or", "xor"] as const);
  if (part.operands.length < 2) return null;
  if (chance.oneIn(2))
    return { ...part, operands: part.operands.toSpliced(chance.below(part.operands.length), 1) };
  return kind === undefined || kind === part.kind ? null : { ...part, kind };
}

function misasked(test: Test, chance: Chance): Expr | null {
  switch (test.kind) {
    case "bits":
      return { ...test, mask: test.mask ^ (1n << BigInt(chance.below(test.field.width))) };
    case "list":
      return { ...test, field: test.field === "ip.src" ? "ip.dst" : "ip.src" };
    default: {
      const at = chance.below(test.ranges.length);
      const range = test.ranges[at];
      const bits = test.kind === "number" ? test.field.width : test.family === 4 ? 32 : 128;
      const wrong = range && misplaced(range, 2n ** BigInt(bits) - 1n, chance);
      return wrong ? { ...test, ranges: intervals(test.ranges.toSpliced(at, 1, ...wrong)) } : null;
    }
  }
}

/** An end one off, a hole in the middle, or nothing left of it. */
function misplaced({ low, high }: Range, last: bigint, chance: Chance): readonly Range[] | null {
  const middle = (low + high) / 2n;
  const ways: readonly (readonly Range[])[] = [
    [{ low: low - 1n, high }],
    [{ low: low + 1n, high }],
    [{ low, high: high - 1n }],
    [{ low, high: high + 1n }],
    [
      { low, high: middle - 1n },
      { low: middle + 1n, high },
    ],
    [],
  ];
  const way = chance.among(ways) ?? [];
  return way.every((one) => one.low >= 0n && one.low <= one.high && one.high <= last) ? way : null;
}
