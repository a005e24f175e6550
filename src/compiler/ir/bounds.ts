import type { Span } from "../diagnostics/span.js";
import { type Expr, type Test, testsOf } from "./expr.js";

/** What can be said of an expression without some of its tests. */
export interface Bounds {
  /** Holds only where the expression does, whatever those tests say. */
  readonly surely: Expr;
  /** Holds wherever the expression may. */
  readonly maybe: Expr;
}

/**
 * Kleene's three-valued logic as two expressions that ask no `unknown` test: the expression is true where `surely` holds,
 * false where `maybe` does not, and unknown between them.
 */
export function boundsOf(expr: Expr, unknown: (test: Test) => boolean): Bounds {
  if (!testsOf(expr).some(unknown)) return { surely: expr, maybe: expr };
  switch (expr.kind) {
    case "not": {
      const { surely, maybe } = boundsOf(expr.operand, unknown);
      return { surely: negation(maybe), maybe: negation(surely) };
    }
    case "and":
    case "or": {
      const operands = expr.operands.map((operand) => boundsOf(operand, unknown));
      const surely = operands.map((one) => one.surely);
      const maybe = operands.map((one) => one.maybe);
      return { surely: joined(expr.kind, surely, expr.span), maybe: joined(expr.kind, maybe, expr.span) };
    }
    case "xor":
      return boundsOfXor(expr, unknown);
    default:
      return { surely: truth(false, expr.span), maybe: truth(true, expr.span) };
  }
}

/** Unknown as soon as one operand is; where none is, both bounds of each are the same. */
function boundsOfXor(expr: Joined, unknown: (test: Test) => boolean): Bounds {
  const operands = expr.operands.map((operand) => boundsOf(operand, unknown));
  const parity: Expr = { ...expr, operands: operands.map(({ maybe }) => maybe) };
  const doubts = operands
    .filter(({ surely, maybe }) => surely !== maybe)
    .map(({ surely, maybe }) => joined("and", [maybe, negation(surely)], expr.span));
  const doubt = joined("or", doubts, expr.span);
  return {
    surely: joined("and", [parity, negation(doubt)], expr.span),
    maybe: joined("or", [parity, doubt], expr.span),
  };
}

type Joined = Extract<Expr, { readonly operands: unknown }>;

function truth(value: boolean, span: Span): Expr {
  return { kind: "const", value, span };
}

function negation(expr: Expr): Expr {
  if (expr.kind === "const") return truth(!expr.value, expr.span);
  return expr.kind === "not" ? expr.operand : { kind: "not", operand: expr, span: expr.span };
}

/** Without operands that say nothing; one that decides is the whole. */
function joined(kind: "and" | "or", operands: readonly Expr[], span: Span): Expr {
  const decisive = kind === "or";
  const asked = operands.filter((one) => one.kind !== "const" || one.value === decisive);
  const [first, ...others] = asked;
  if (asked.some((one) => one.kind === "const")) return truth(decisive, span);
  if (!first) return truth(!decisive, span);
  return others.length === 0 ? first : { kind, operands: asked, span };
}
