import { ADDRESS_BITS } from "../compiler/ir/address.js";
import type { Expr, Test } from "../compiler/ir/expr.js";

/** Building and taking apart expressions of the IR, as questions to the solver. */

/** The expression with every occurrence of one part replaced; parts are told apart by identity. */
export function replacePart(expr: Expr, part: Expr, by: Expr): Expr {
  if (expr === part) return by;
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return { ...expr, operands: expr.operands.map((operand) => replacePart(operand, part, by)) };
    case "not":
      return { ...expr, operand: replacePart(expr.operand, part, by) };
    default:
      return expr;
  }
}

export function truth(value: boolean, { span }: Expr): Expr {
  return { kind: "const", value, span };
}

export function negation(operand: Expr): Expr {
  return { kind: "not", operand, span: operand.span };
}

/** Exactly one of the two holds. */
export function either(a: Expr, b: Expr): Expr {
  return { kind: "xor", operands: [a, b], span: a.span };
}

/** Bits of the number that a test asks about. */
export function widthOf(test: Test): number {
  return test.kind === "number" || test.kind === "bits" ? test.field.width : ADDRESS_BITS[test.family];
}
