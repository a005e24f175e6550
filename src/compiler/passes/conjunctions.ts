import { invariant } from "../diagnostics/invariant.js";
import { type Expr, fieldText, isTest, type Test } from "../ir/expr.js";
import { type Header, withOuter } from "../ir/headers.js";
import { intersection, union } from "../ir/intervals.js";
import { wireText } from "../ir/wire.js";

type Kind = "and" | "or";

/** A test, or the negation of one. */
interface Literal {
  readonly test: Test;
  readonly negated: boolean;
}

/** Joins operands that one test can say, and drops repeated ones; each stays where the first of its group stood. */
export function mergeOperands(kind: Kind, operands: readonly Expr[]): readonly Expr[] {
  const groups = new Map<string, Expr[]>();
  for (const operand of operands) {
    const literal = literalOf(operand);
    const key = literal && isMergeable(kind, literal) ? groupOf(literal) : keyOf(operand);
    const group = groups.get(key);
    if (group) group.push(operand);
    else groups.set(key, [operand]);
  }
  return [...groups.values()].map((group) => mergeGroup(kind, group));
}

/** By halves: joining two tests costs as much as both are long, and a group can have thousands. */
function mergeGroup(kind: Kind, group: readonly Expr[]): Expr {
  const [first, second] = group;
  invariant(first, "a group has a member");
  if (!second) return first;
  const half = group.length >> 1;
  return merge(kind, mergeGroup(kind, group.slice(0, half)), mergeGroup(kind, group.slice(half)));
}

/** Whether an `and` cannot hold, or an `or` cannot fail: some operand excludes another one. */
export function exclude(kind: Kind, operands: readonly Expr[]): boolean {
  const keys = new Set(operands.map(keyOf));
  if (operands.some((operand) => operand.kind === "not" && keys.has(keyOf(operand.operand)))) return true;
  const wanted = operands.map(literalOf).filter((literal) => literal?.negated === (kind === "or"));
  return headersExclude(wanted.flatMap((literal) => (literal ? [literal.test] : [])));
}

/**
 * The operands of an `and` without alternatives that the others exclude: `udp.srcport == 53` leaves of a field with
 * places in several headers only UDP's. The same operands if there is none.
 */
export function pruneAlternatives(operands: readonly Expr[]): readonly Expr[] {
  const asked = operands.flatMap(positiveTests);
  let pruned = false;
  const left = operands.map((operand) => {
    if (operand.kind !== "or") return operand;
    const possible = operand.operands.filter((one) => !headersExclude([...asked, ...positiveTests(one)]));
    if (possible.length === operand.operands.length) return operand;
    pruned = true;
    const [only] = possible;
    return only && possible.length === 1 ? only : { ...operand, operands: possible };
  });
  return pruned ? left : operands;
}

/** Tests that must hold for the expression to hold. */
function positiveTests(expr: Expr): readonly Test[] {
  if (expr.kind === "and") return expr.operands.flatMap(positiveTests);
  const literal = literalOf(expr);
  return literal && !literal.negated ? [literal.test] : [];
}

/** A packet has one IP header and one transport header, ICMP in IPv4 and ICMPv6 in IPv6 only. */
function headersExclude(tests: readonly Test[]): boolean {
  const needed = new Set(tests.flatMap(({ needs }) => withOuter(needs.header)));
  const count = (headers: readonly Header[]): number => headers.filter((header) => needed.has(header)).length;
  return count(["ip4", "ip6"]) > 1 || count(["tcp", "udp", "icmp", "icmp6", "gre"]) > 1;
}

function literalOf(expr: Expr): Literal | undefined {
  const negated = expr.kind === "not";
  const inner = negated ? expr.operand : expr;
  return isTest(inner) ? { test: inner, negated } : undefined;
}

/** Under a negation `and` and `or` change places. */
function mergesAs(kind: Kind, negated: boolean): Kind {
  return negated ? (kind === "and" ? "or" : "and") : kind;
}

/** Lists are data that may change; two bit tests are one only if either may hold. */
function isMergeable(kind: Kind, { test, negated }: Literal): boolean {
  switch (test.kind) {
    case "address":
    case "number":
      return true;
    case "bits":
      return mergesAs(kind, negated) === "or";
    case "list":
      return false;
  }
}

function groupOf({ test, negated }: Literal): string {
  return `${negated} ${test.kind} ${fieldText(test)} ${test.kind === "address" ? test.family : ""}`;
}

/** Two of one group; what cannot be merged is there because it is the same. */
function merge(kind: Kind, a: Expr, b: Expr): Expr {
  const [one, other] = [literalOf(a), literalOf(b)];
  if (!one || !other || !isMergeable(kind, one)) return a;
  const test = mergeTests(mergesAs(kind, one.negated), one.test, other.test);
  return one.negated ? { kind: "not", operand: test, span: a.span } : test;
}

function mergeTests(kind: Kind, a: Test, b: Test): Test {
  if (a.kind === "bits" && b.kind === "bits") return { ...a, mask: a.mask | b.mask };
  invariant(
    (a.kind === "address" || a.kind === "number") && a.kind === b.kind,
    "tests of one group are alike",
  );
  return { ...a, ranges: kind === "or" ? union(a.ranges, b.ranges) : intersection(a.ranges, b.ranges) };
}

/** Equal for expressions that are equal but for their spans. */
export function keyOf(expr: Expr): string {
  switch (expr.kind) {
    case "const":
      return String(expr.value);
    case "not":
      return `not(${keyOf(expr.operand)})`;
    case "and":
    case "or":
    case "xor":
      return `${expr.kind}(${expr.operands.map(keyOf).join(" ")})`;
    case "list":
      return `${expr.field}/${expr.family}@${expr.list}`;
    case "bits":
      return `${wireText(expr.field)}&${expr.mask}`;
    case "address":
      return `${expr.field}/${expr.family}${rangesKey(expr.ranges)}`;
    case "number":
      return `${wireText(expr.field)}${rangesKey(expr.ranges)}`;
  }
}

function rangesKey(ranges: Extract<Test, { kind: "number" }>["ranges"]): string {
  return `{${ranges.map(({ low, high }) => `${low}..${high}`).join(" ")}}`;
}
