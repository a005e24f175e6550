import { ADDRESS_BITS, type Family } from "../compiler/ir/address.js";
import { type Expr, fieldText, type Test } from "../compiler/ir/expr.js";
import { complement, EMPTY, type Intervals, intervals, type Range } from "../compiler/ir/intervals.js";
import type { Action, Limit, Policy, Rule, Stage, Verdict } from "../compiler/ir/policy.js";
import { WIRE_FIELDS, type WireName } from "../compiler/ir/wire.js";
import { negation, truth, widthOf } from "./expressions.js";
import { valuesOf } from "./solve.js";
import { spread } from "./spread.js";

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
  /** The rule matches other packets. */
  | { readonly kind: "match"; readonly stage: Stage; readonly index: number; readonly match: Expr }
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
  return mutatedMatches(rule.match, policy).map(({ what, expr: match }) => {
    const rules = rulesIn(policy, stage).with(index, { ...rule, match });
    const changed = withRules(policy, stage, rules);
    return { kind: "match", stage, index, match, what: `${rule.name}: ${what}`, policy: changed };
  });
}

interface Mutated {
  readonly what: string;
  readonly expr: Expr;
}

/** Every mutation of every part, in the place of that part. */
function mutatedMatches(expr: Expr, policy: Policy): readonly Mutated[] {
  const here = mutationsOf(expr, policy);
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor": {
      const inside = expr.operands.flatMap((operand, index) =>
        mutatedMatches(operand, policy).map(({ what, expr: changed }) => ({
          what,
          expr: { ...expr, operands: expr.operands.with(index, changed) },
        })),
      );
      return [...here, ...inside];
    }
    case "not": {
      const inside = mutatedMatches(expr.operand, policy);
      return [...here, ...inside.map(({ what, expr: operand }) => ({ what, expr: { ...expr, operand } }))];
    }
    default:
      return here;
  }
}

function mutationsOf(expr: Expr, policy: Policy): readonly Mutated[] {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return [...wordMutations(expr), ...operandMutations(expr)];
    case "not":
      return [{ what: "a `not` is gone", expr: expr.operand }, ...movedNegation(expr.operand)];
    case "const":
      return [{ what: `it is ${!expr.value}`, expr: truth(!expr.value, expr) }];
    default:
      return testMutations(expr, policy);
  }
}

type Joined = Extract<Expr, { readonly operands: unknown }>;

function wordMutations(expr: Joined): readonly Mutated[] {
  if (expr.operands.length < 2) return [];
  const others = (["and", "or", "xor"] as const).filter((kind) => kind !== expr.kind);
  return others.map((kind) => ({ what: `\`${expr.kind}\` is \`${kind}\``, expr: { ...expr, kind } }));
}

function operandMutations(expr: Joined): readonly Mutated[] {
  if (expr.operands.length < 2) return [];
  return expr.operands.flatMap((operand, index) => [
    {
      what: `operand ${index + 1} of an \`${expr.kind}\` is gone`,
      expr: { ...expr, operands: expr.operands.toSpliced(index, 1) },
    },
    {
      what: `operand ${index + 1} of an \`${expr.kind}\` is negated`,
      expr: { ...expr, operands: expr.operands.with(index, negation(operand)) },
    },
  ]);
}

/** `not` pushed inwards as if De Morgan had not said that `and` and `or` change places. */
function movedNegation(operand: Expr): readonly Mutated[] {
  if (operand.kind !== "and" && operand.kind !== "or") return [];
  const pushed: Expr = { ...operand, operands: operand.operands.map(negation) };
  return [{ what: "a `not` is moved inwards", expr: pushed }];
}

function testMutations(test: Test, policy: Policy): readonly Mutated[] {
  const name = fieldText(test);
  const own = test.kind === "bits" ? maskMutations(test) : rangeMutations(test, policy);
  return [
    ...own.map(({ what, expr }) => ({ what: `${name}: ${what}`, expr })),
    ...guardMutations(test),
    ...familyMutations(test),
    { what: `${name} always matches`, expr: truth(true, test) },
    { what: `${name} never matches`, expr: truth(false, test) },
  ];
}

type RangeTest = Exclude<Test, { readonly kind: "bits" }>;

/** A list becomes the addresses that are left of it: its other uses stay as they are. */
function withRanges(test: RangeTest, ranges: Intervals): Expr {
  if (test.kind !== "list") return { ...test, ranges };
  const { field, family, needs, span } = test;
  return { kind: "address", field, family, ranges, needs, span };
}

/** Of a longer set, some ranges from all over it are changed. */
const MOST_RANGES = 16;

function rangeMutations(test: RangeTest, policy: Policy): readonly Mutated[] {
  const values = valuesOf(test, policy);
  const width = widthOf(test);
  const last = (1n << BigInt(width)) - 1n;
  const moved = spread(values, MOST_RANGES).flatMap((range) =>
    otherRanges(range, last).map(({ what, to }) => {
      const rest = values.filter((one) => one !== range);
      return { what, expr: withRanges(test, intervals(to ? [...rest, to] : rest)) };
    }),
  );
  const rest = withRanges(test, complement(values, width));
  const swapped = byteSwapped(values, width);
  return [
    ...moved,
    { what: "inside is outside", expr: rest },
    { what: "negated, for packets without it too", expr: negation(test) },
    ...(swapped ? [{ what: "its bytes are swapped", expr: withRanges(test, swapped) }] : []),
  ];
}

/** Each end one off, halved and doubled as a prefix is when its length is one off, and gone. null: gone. */
function otherRanges(
  { low, high }: Range,
  last: bigint,
): readonly { readonly what: string; readonly to: Range | null }[] {
  const size = high - low + 1n;
  const text = low === high ? `${low}` : `${low}..${high}`;
  const candidates = [
    { what: `${text} begins one lower`, to: { low: low - 1n, high } },
    { what: `${text} begins one higher`, to: { low: low + 1n, high } },
    { what: `${text} ends one lower`, to: { low, high: high - 1n } },
    { what: `${text} ends one higher`, to: { low, high: high + 1n } },
    { what: `${text} is half as long`, to: { low, high: low + size / 2n - 1n } },
    {
      what: `${text} is twice as long`,
      to: { low: low - (low % (2n * size)), high: high + size - (low % (2n * size)) },
    },
  ];
  const possible = candidates.filter(({ to }) => to.low >= 0n && to.high <= last && to.low <= to.high);
  return [...possible, { what: `${text} is gone`, to: null }];
}

/** Only single numbers of whole bytes have another order; undefined: the same numbers. */
function byteSwapped(values: Intervals, width: number): Intervals | undefined {
  if (width !== 16 && width !== 32) return undefined;
  if (values.some(({ low, high }) => low !== high)) return undefined;
  const swapped = values.map(({ low }) => {
    const hex = low.toString(16).padStart(width / 4, "0");
    const value = BigInt(`0x${(hex.match(/../g) ?? []).reverse().join("")}`);
    return { low: value, high: value };
  });
  return intervals(swapped);
}

function maskMutations(test: Extract<Test, { readonly kind: "bits" }>): readonly Mutated[] {
  const bits = [...Array(test.field.width).keys()].map((at) => 1n << BigInt(at));
  const flipped = bits
    .filter((bit) => (test.mask ^ bit) !== 0n)
    .map((bit) => ({ what: `bit ${bit} of the mask is turned`, expr: { ...test, mask: test.mask ^ bit } }));
  const { field, needs, span, mask } = test;
  const exact: Expr = { kind: "number", field, ranges: [{ low: mask, high: mask }], needs, span };
  const each = bits.filter((bit) => (mask & bit) !== 0n).map((bit): Expr => ({ ...test, mask: bit }));
  const all: Expr = { kind: "and", operands: each, span };
  return [
    ...flipped,
    { what: "the mask is compared", expr: exact },
    ...(each.length > 1 ? [{ what: "all bits are asked for", expr: all }] : []),
    { what: "negated, for packets without it too", expr: negation(test) },
  ];
}

/** The same field of a header that looks alike: what a missing guard of the protocol would read. */
const ALIKE: Readonly<Partial<Record<WireName, WireName>>> = {
  "tcp.srcport": "udp.srcport",
  "tcp.dstport": "udp.dstport",
  "udp.srcport": "tcp.srcport",
  "udp.dstport": "tcp.dstport",
  "icmp.type": "icmp6.type",
  "icmp.code": "icmp6.code",
  "icmp6.type": "icmp.type",
  "icmp6.code": "icmp.code",
  "ip4.ttl": "ip6.hop_limit",
  "ip6.hop_limit": "ip4.ttl",
  "ip4.dscp": "ip6.dscp",
  "ip6.dscp": "ip4.dscp",
};

function guardMutations(test: Test): readonly Mutated[] {
  if (test.kind !== "number" && test.kind !== "bits") return [];
  const name = test.field.name === "slice" ? undefined : ALIKE[test.field.name];
  const other = name && WIRE_FIELDS[name];
  if (!other) return [];
  const alike: Expr = { ...test, field: other, needs: { ...test.needs, header: other.header } };
  const both: Expr = { kind: "or", operands: [test, alike], span: test.span };
  return [
    { what: `${fieldText(test)} is asked of ${other.name} too`, expr: both },
    { what: `${fieldText(test)} is asked of ${other.name}`, expr: alike },
  ];
}

/** Any address of the other family matches too. */
function familyMutations(test: Test): readonly Mutated[] {
  if (test.kind !== "address" && test.kind !== "list") return [];
  const family: Family = test.family === 4 ? 6 : 4;
  const ranges = complement(EMPTY, ADDRESS_BITS[family]);
  const needs =
    family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
  const other: Expr = { kind: "address", field: test.field, family, ranges, needs, span: test.span };
  const both: Expr = { kind: "or", operands: [test, other], span: test.span };
  const swapped: Expr = { ...test, field: test.field === "ip.src" ? "ip.dst" : "ip.src" };
  return [
    { what: `${test.field} of IPv${family} matches too`, expr: both },
    { what: `${test.field} is ${swapped.field}`, expr: swapped },
  ];
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
