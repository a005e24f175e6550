import type { Span } from "../diagnostics/span.js";
import type { Expr } from "../ir/expr.js";
import { exclude, keyOf, mergeOperands, pruneAlternatives } from "./conjunctions.js";

/**
 * The same meaning in normal form, so that targets meet few shapes.
 * INVARIANT (NotOnTests): `not` stands only around a test or an `xor`.
 * INVARIANT (Flat): no `and`, `or` or `xor` stands directly in one of its own kind; each has two operands or more.
 * INVARIANT (ConstAlone): a constant is the whole expression.
 * INVARIANT (Merged): two tests of one field in one `and` or `or` are one test, where intervals can say it.
 * A test's complement is never a test: `not tcp.dstport == 80` holds without TCP, and no interval says that.
 */
export function normalize(expr: Expr): Expr {
  switch (expr.kind) {
    case "and":
    case "or":
      return combine(expr.kind, expr.operands.map(normalize), expr.span);
    case "xor":
      return combineOdd(expr.operands.map(normalize), expr.span);
    case "not":
      return negate(normalize(expr.operand), expr.span);
    default:
      return foldTest(expr);
  }
}

/** A test that no value fulfils is false. */
function foldTest(expr: Expr): Expr {
  switch (expr.kind) {
    case "address":
    case "number":
      return expr.ranges.length === 0 ? constant(false, expr.span) : expr;
    case "bits":
      return expr.mask === 0n ? constant(false, expr.span) : expr;
    case "not":
      return negate(foldTest(expr.operand), expr.span);
    default:
      return expr;
  }
}

/** The negation of a normal form, by De Morgan's laws: they hold, because every test is true or false. */
function negate(expr: Expr, span: Span): Expr {
  switch (expr.kind) {
    case "const":
      return constant(!expr.value, span);
    case "not":
      return expr.operand;
    case "and":
    case "or": {
      const operands = expr.operands.map((operand) => negate(operand, operand.span));
      return combine(expr.kind === "and" ? "or" : "and", operands, span);
    }
    default:
      return { kind: "not", operand: expr, span };
  }
}

/** `and` or `or` of normal forms. */
function combine(kind: "and" | "or", operands: readonly Expr[], span: Span): Expr {
  const absorbing = kind === "or";
  const merged = mergeOperands(kind, flatten(kind, operands)).map(foldTest);
  const kept = merged.filter((operand) => !isConstant(operand, !absorbing));
  if (kept.some((operand) => isConstant(operand, absorbing)) || exclude(kind, kept)) {
    return constant(absorbing, span);
  }
  const pruned = kind === "and" ? pruneAlternatives(kept) : kept;
  return pruned === kept ? rebuilt(kind, kept, !absorbing, span) : combine(kind, pruned.map(foldEmpty), span);
}

/** An `or` of nothing is false. */
function foldEmpty(expr: Expr): Expr {
  return expr.kind === "or" && expr.operands.length === 0 ? constant(false, expr.span) : expr;
}

/** `xor` stays: spelled out with `and` and `or` it doubles with each operand. Pairs of equals cancel out. */
function combineOdd(operands: readonly Expr[], span: Span): Expr {
  const odd = new Map<string, Expr>();
  let flipped = false;
  for (const operand of flatten("xor", operands.map(stripNot))) {
    if (operand.kind === "const") {
      flipped = flipped !== operand.value;
      continue;
    }
    const key = keyOf(operand);
    if (!odd.delete(key)) odd.set(key, operand);
  }
  const result = rebuilt("xor", [...odd.values()], false, span);
  return flipped ? negate(result, span) : result;

  /** `not a xor b` is `not (a xor b)`. */
  function stripNot(operand: Expr): Expr {
    if (operand.kind !== "not") return operand;
    flipped = !flipped;
    return operand.operand;
  }
}

function flatten(kind: "and" | "or" | "xor", operands: readonly Expr[]): readonly Expr[] {
  return operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]));
}

/** An n-ary node; `empty` is what it means without operands. */
function rebuilt(kind: "and" | "or" | "xor", operands: readonly Expr[], empty: boolean, span: Span): Expr {
  const [only] = operands;
  if (!only) return constant(empty, span);
  return operands.length === 1 ? only : { kind, operands, span };
}

function isConstant(expr: Expr, value: boolean): boolean {
  return expr.kind === "const" && expr.value === value;
}

function constant(value: boolean, span: Span): Expr {
  return { kind: "const", value, span };
}
