import { ADDRESS_BITS, type Family } from "../compiler/ir/address.js";
import { type Expr, fieldText, type Test } from "../compiler/ir/expr.js";
import {
  complement,
  type Intervals,
  intersection,
  intervals,
  type Range,
  union,
  universe,
} from "../compiler/ir/intervals.js";
import type { Policy } from "../compiler/ir/policy.js";
import { WIRE_FIELDS, type WireName } from "../compiler/ir/wire.js";
import { both, decidedBy, either, type Joined, negation, truth, valuesOf, widthOf } from "./expressions.js";
import { spread } from "./spread.js";

/** A condition that differs from another one by one small mistake. */
export interface Mutated {
  readonly what: string;
  readonly expr: Expr;
  /** Where the two differ, for certain: so much narrower than `expr xor the other` that it is quickly searched. */
  readonly differs: Expr;
}

/** Every mutation of every part, in the place of that part. */
export function mutatedMatches(expr: Expr, policy: Policy): readonly Mutated[] {
  const here = mutationsOf(expr, policy);
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor": {
      const inside = expr.operands.flatMap((operand, index) =>
        mutatedMatches(operand, policy).map(({ what, expr: changed, differs }) => ({
          what,
          expr: { ...expr, operands: expr.operands.with(index, changed) },
          differs: where(decidedBy(expr, index), differs),
        })),
      );
      return [...here, ...inside];
    }
    case "not": {
      const inside = mutatedMatches(expr.operand, policy);
      return [
        ...here,
        ...inside.map(({ expr: operand, ...rest }) => ({ ...rest, expr: { ...expr, operand } })),
      ];
    }
    default:
      return here;
  }
}

function mutationsOf(expr: Expr, policy: Policy): readonly Mutated[] {
  const everywhere = truth(true, expr);
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return [...wordMutations(expr), ...operandMutations(expr)];
    case "not":
      return [
        { what: "a `not` is gone", expr: expr.operand, differs: everywhere },
        ...movedNegation(expr, expr.operand),
      ];
    case "const":
      return [{ what: `it is ${!expr.value}`, expr: truth(!expr.value, expr), differs: everywhere }];
    default:
      return testMutations(expr, policy);
  }
}

function where(conditions: readonly Expr[], differs: Expr): Expr {
  if (conditions.length === 0) return differs;
  return { kind: "and", operands: [...conditions, differs], span: differs.span };
}

function wordMutations(expr: Joined): readonly Mutated[] {
  if (expr.operands.length < 2) return [];
  const others = (["and", "or", "xor"] as const).filter((kind) => kind !== expr.kind);
  return others.map((kind) => {
    const changed: Expr = { ...expr, kind };
    return { what: `\`${expr.kind}\` is \`${kind}\``, expr: changed, differs: either(expr, changed) };
  });
}

function operandMutations(expr: Joined): readonly Mutated[] {
  if (expr.operands.length < 2) return [];
  return expr.operands.flatMap((operand, index) => {
    const decides = decidedBy(expr, index);
    // What is gone counts as what changes nothing: true in an `and`, false elsewhere.
    const counted = expr.kind === "and" ? negation(operand) : operand;
    return [
      {
        what: `operand ${index + 1} of an \`${expr.kind}\` is gone`,
        expr: { ...expr, operands: expr.operands.toSpliced(index, 1) },
        differs: where(decides, counted),
      },
      {
        what: `operand ${index + 1} of an \`${expr.kind}\` is negated`,
        expr: { ...expr, operands: expr.operands.with(index, negation(operand)) },
        differs: where(decides, truth(true, operand)),
      },
    ];
  });
}

/** `not` pushed inwards as if De Morgan had not said that `and` and `or` change places. */
function movedNegation(expr: Expr, operand: Expr): readonly Mutated[] {
  if (operand.kind !== "and" && operand.kind !== "or") return [];
  const pushed: Expr = { ...operand, operands: operand.operands.map(negation) };
  return [{ what: "a `not` is moved inwards", expr: pushed, differs: either(expr, pushed) }];
}

function testMutations(test: Test, policy: Policy): readonly Mutated[] {
  const name = fieldText(test);
  const own = test.kind === "bits" ? maskMutations(test) : rangeMutations(test, policy);
  return [
    ...own.map(({ what, ...rest }) => ({ what: `${name}: ${what}`, ...rest })),
    {
      what: `${name}: negated, for packets without it too`,
      expr: negation(test),
      differs: truth(true, test),
    },
    ...guardMutations(test),
    ...familyMutations(test),
    { what: `${name} always matches`, expr: truth(true, test), differs: negation(test) },
    { what: `${name} never matches`, expr: truth(false, test), differs: test },
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
  const to = (what: string, ranges: Intervals, changed: Intervals): Mutated => {
    return { what, expr: withRanges(test, ranges), differs: withRanges(test, changed) };
  };
  const moved = spread(values, MOST_RANGES).flatMap((range) =>
    otherRanges(range, last).map(({ what, to: there }) => {
      const rest = values.filter((one) => one !== range);
      // What another range of the set holds has not changed.
      const changed = without(
        without(union([range], there), intersection([range], there), width),
        rest,
        width,
      );
      return to(what, intervals([...rest, ...there]), changed);
    }),
  );
  const swapped = byteSwapped(values, width);
  return [
    ...moved,
    to("inside is outside", complement(values, width), universe(width)),
    ...(swapped ? [to("its bytes are swapped", swapped, swappedFrom(values, swapped, width))] : []),
  ];
}

function swappedFrom(values: Intervals, swapped: Intervals, width: number): Intervals {
  return union(without(values, swapped, width), without(swapped, values, width));
}

function without(some: Intervals, others: Intervals, width: number): Intervals {
  return intersection(some, complement(others, width));
}

interface Other {
  readonly what: string;
  /** None: it is gone. */
  readonly to: Intervals;
}

/** Each end one off, halved and doubled as a prefix is when its length is one off, with a hole, and gone. */
function otherRanges({ low, high }: Range, last: bigint): readonly Other[] {
  const size = high - low + 1n;
  const text = low === high ? `${low}` : `${low}..${high}`;
  const middle = (low + high) / 2n;
  const double = low - (low % (2n * size));
  const candidates = [
    { what: `${text} begins one lower`, to: [{ low: low - 1n, high }] },
    { what: `${text} begins one higher`, to: [{ low: low + 1n, high }] },
    { what: `${text} ends one lower`, to: [{ low, high: high - 1n }] },
    { what: `${text} ends one higher`, to: [{ low, high: high + 1n }] },
    { what: `${text} is half as long`, to: [{ low, high: low + size / 2n - 1n }] },
    { what: `${text} is twice as long`, to: [{ low: double, high: double + 2n * size - 1n }] },
    {
      what: `${text} is without its middle`,
      to: [
        { low, high: middle - 1n },
        { low: middle + 1n, high },
      ],
    },
  ];
  const isRange = (one: Range) => one.low >= 0n && one.high <= last && one.low <= one.high;
  return [...candidates.filter(({ to }) => to.every(isRange)), { what: `${text} is gone`, to: [] }];
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
  const { field, needs, span, mask } = test;
  const to = (what: string, expr: Expr): Mutated => ({ what, expr, differs: either(test, expr) });
  const flipped = bits
    .filter((bit) => (mask ^ bit) !== 0n)
    .map((bit) => to(`bit ${bit} of the mask is turned`, { ...test, mask: mask ^ bit }));
  const each = bits.filter((bit) => (mask & bit) !== 0n).map((bit): Expr => ({ ...test, mask: bit }));
  return [
    ...flipped,
    to("the mask is compared", { kind: "number", field, ranges: [{ low: mask, high: mask }], needs, span }),
    ...(each.length > 1 ? [to("all bits are asked for", { kind: "and", operands: each, span })] : []),
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
  return [
    { ...tooMuch(test, alike), what: `${fieldText(test)} is asked of ${other.name} too` },
    { expr: alike, differs: either(test, alike), what: `${fieldText(test)} is asked of ${other.name}` },
  ];
}

/** Any address of the other family matches too. */
function familyMutations(test: Test): readonly Mutated[] {
  if (test.kind !== "address" && test.kind !== "list") return [];
  const family: Family = test.family === 4 ? 6 : 4;
  const ranges = universe(ADDRESS_BITS[family]);
  const needs =
    family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
  const other: Expr = { kind: "address", field: test.field, family, ranges, needs, span: test.span };
  const swapped: Expr = { ...test, field: test.field === "ip.src" ? "ip.dst" : "ip.src" };
  return [
    { ...tooMuch(test, other), what: `${test.field} of IPv${family} matches too` },
    { expr: swapped, differs: either(test, swapped), what: `${test.field} is ${swapped.field}` },
  ];
}

/** What no test asks for matches too. */
function tooMuch(test: Test, other: Expr): Omit<Mutated, "what"> {
  const { span } = test;
  return { expr: { kind: "or", operands: [test, other], span }, differs: both(other, negation(test)) };
}
