import { assertNever, invariant } from "../../diagnostics/invariant.js";
import { ADDRESS_BITS, type Family } from "../../ir/address.js";
import type { AddressTest, BitsTest, Expr, ListTest, NumberTest, Test } from "../../ir/expr.js";
import type { AddressFieldName } from "../../ir/fields.js";
import { HEADERS, type Header } from "../../ir/headers.js";
import { complement, type Intervals, intersection, intervals, type Range } from "../../ir/intervals.js";
import type { AddressList } from "../../ir/policy.js";
import { type Allowed, type Question, questionOf, transportOf } from "./question.js";

/**
 * A conjunction: where the packet may come from and go to, and which answers each question may have. An address
 * or a question that is not there may have any.
 */
export interface Term {
  readonly addresses: ReadonlyMap<AddressFieldName, Intervals>;
  readonly answers: ReadonlyMap<string, Answer>;
}

export interface Answer {
  readonly question: Question;
  readonly allowed: Allowed;
}

export interface TermContext {
  readonly family: Family;
  readonly lists: readonly AddressList[];
  /** More terms than this are too many. */
  readonly most: number;
}

const ALWAYS: Term = { addresses: new Map(), answers: new Map() };

/**
 * The packets of one family that `expr` holds for, as a union of terms; undefined if they would be too many, if a set of
 * numbers has too many ranges, or if only connection tracking knows.
 */
export function termsOf(expr: Expr, context: TermContext): readonly Term[] | undefined {
  return lower(expr, true, context);
}

/** `expr` if `wanted`, else its negation: `not` wanders down to the tests. */
function lower(expr: Expr, wanted: boolean, context: TermContext): readonly Term[] | undefined {
  switch (expr.kind) {
    case "const":
      return expr.value === wanted ? [ALWAYS] : [];
    case "not":
      return lower(expr.operand, !wanted, context);
    case "and":
    case "or":
      return (expr.kind === "and") === wanted
        ? conjunction(expr.operands, wanted, context)
        : disjunction(expr.operands, wanted, context);
    case "xor":
      return parity(expr.operands, wanted, context);
    default:
      return lowerTest(expr, wanted, context);
  }
}

type Terms = readonly Term[] | undefined;

function disjunction(operands: readonly Expr[], wanted: boolean, context: TermContext): Terms {
  const all: Term[] = [];
  for (const operand of operands) {
    const terms = lower(operand, wanted, context);
    if (!terms || all.length + terms.length > context.most) return undefined;
    all.push(...terms);
  }
  return all;
}

function conjunction(operands: readonly Expr[], wanted: boolean, context: TermContext): Terms {
  let all: readonly Term[] | undefined = [ALWAYS];
  for (const operand of operands) {
    const terms = lower(operand, wanted, context);
    all = terms && all && product(all, terms, context.most);
    if (!all) return undefined;
  }
  return all;
}

/** a ^ b = (a and not b) or (not a and b); an odd number of the operands hold. */
function parity(operands: readonly Expr[], wanted: boolean, context: TermContext): Terms {
  let odd: Terms = [];
  let even: Terms = [ALWAYS];
  for (const operand of operands) {
    const yes = lower(operand, true, context);
    const no = lower(operand, false, context);
    if (!yes || !no || !odd || !even) return undefined;
    const [before, after]: [readonly Term[], readonly Term[]] = [odd, even];
    odd = both(product(before, no, context.most), product(after, yes, context.most), context.most);
    even = both(product(before, yes, context.most), product(after, no, context.most), context.most);
  }
  return wanted ? odd : even;
}

function both(a: Terms, b: Terms, most: number): Terms {
  return a && b && a.length + b.length <= most ? [...a, ...b] : undefined;
}

function product(a: readonly Term[], b: readonly Term[], most: number): Terms {
  const all: Term[] = [];
  for (const left of a) {
    for (const right of b) {
      const term = meet(left, right);
      if (!term) continue;
      if (all.length === most) return undefined;
      all.push(term);
    }
  }
  return all;
}

/** What both terms hold for; undefined if nothing. */
function meet(a: Term, b: Term): Term | undefined {
  if (a === ALWAYS) return b;
  if (b === ALWAYS) return a;
  const addresses = new Map(a.addresses);
  for (const [field, ranges] of b.addresses) {
    const other = addresses.get(field);
    const common = other ? intersection(other, ranges) : ranges;
    if (common.length === 0) return undefined;
    addresses.set(field, common);
  }
  const answers = new Map(a.answers);
  for (const [key, { question, allowed }] of b.answers) {
    const other = answers.get(key)?.allowed;
    const common = other ? meetAllowed(other, allowed) : allowed;
    if (common.ranges.length === 0 && !common.absent) return undefined;
    answers.set(key, { question, allowed: common });
  }
  const term = { addresses, answers };
  return hasOneTransport(term) ? term : undefined;
}

function meetAllowed(a: Allowed, b: Allowed): Allowed {
  return { ranges: intersection(a.ranges, b.ranges), absent: a.absent && b.absent };
}

/** A packet has one transport header, so a term that asks two of them for something holds for none. */
function hasOneTransport({ answers }: Term): boolean {
  const present = new Set<Header>();
  for (const { question, allowed } of answers.values()) {
    const transport = transportOf(question);
    if (transport && !allowed.absent) present.add(transport);
  }
  return present.size <= 1;
}

function lowerTest(test: Test, wanted: boolean, context: TermContext): Terms {
  if (test.needs.header === "ct") return undefined;
  if (test.kind === "address" || test.kind === "list") return lowerAddress(test, wanted, context);
  if (isOfOtherFamily(test.needs.header, context.family)) return wanted ? [] : [ALWAYS];
  const allowed = allowedBy(test);
  if (!allowed) return undefined;
  const question = questionOf(test.field, test.needs);
  const answer = wanted ? allowed : { ranges: complement(allowed.ranges, question.bits), absent: true };
  return [{ addresses: new Map(), answers: new Map([[question.key, { question, allowed: answer }]]) }];
}

function lowerAddress(test: AddressTest | ListTest, wanted: boolean, context: TermContext): Terms {
  if (test.family !== context.family) return wanted ? [] : [ALWAYS];
  const ranges = test.kind === "address" ? test.ranges : listNamed(test.list, context)[test.family];
  const set = wanted ? ranges : complementOf(ranges, ADDRESS_BITS[test.family]);
  if (set.length === 0) return [];
  return [{ addresses: new Map([[test.field, set]]), answers: new Map() }];
}

/** The same object for the same set: sets are told apart by it, and long ones are made once. */
const complements = new WeakMap<Intervals, Intervals>();

function complementOf(set: Intervals, bits: number): Intervals {
  const known = complements.get(set) ?? complement(set, bits);
  complements.set(set, known);
  return known;
}

function listNamed(name: string, { lists }: TermContext): AddressList {
  const list = lists.find((candidate) => candidate.name === name);
  invariant(list, `list ${name} is in the policy`);
  return list;
}

/** A packet of IPv4 has none of IPv6's headers. */
function isOfOtherFamily(header: Header, family: Family): boolean {
  const root = HEADERS[header].within ?? header;
  return root === (family === 4 ? "ip6" : "ip4");
}

/** A mask is spelled as runs of numbers, at most 2^16 of them. */
const MASKED_BITS = 16;

function allowedBy(test: NumberTest | BitsTest): Allowed | undefined {
  switch (test.kind) {
    case "number":
      return { ranges: test.ranges, absent: false };
    case "bits":
      return masked(test.mask, test.field.width);
    default:
      return assertNever(test);
  }
}

/** The numbers with at least one bit of the mask: runs of 2^k, where k is the mask's lowest bit. */
function masked(mask: bigint, width: number): Allowed | undefined {
  const run = mask & -mask;
  const end = 1n << BigInt(width);
  if (run === 0n) return { ranges: [], absent: false };
  if (end / run > 1n << BigInt(MASKED_BITS)) return undefined;
  const zeros: Range[] = [];
  for (let low = 0n; low < end; low += run) {
    if ((low & mask) === 0n) zeros.push({ low, high: low + run - 1n });
  }
  return { ranges: complement(intervals(zeros), width), absent: false };
}
