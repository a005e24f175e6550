import { assertNever, invariant } from "../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS } from "../compiler/ir/address.js";
import type { Expr, Test } from "../compiler/ir/expr.js";
import type { Intervals } from "../compiler/ir/intervals.js";
import type { Policy } from "../compiler/ir/policy.js";

/** Building and taking apart expressions of the IR, as questions about packets. */

export type Joined = Extract<Expr, { readonly operands: unknown }>;

/** What the other operands must say so that this one decides: all of these. */
export function decidedBy({ kind, operands }: Joined, index: number): readonly Expr[] {
  if (kind === "xor") return [];
  const others = operands.toSpliced(index, 1);
  return kind === "and" ? others : others.map(negation);
}

/** A test, and what must hold of the rest of its expression so that the test decides. */
export interface Placed {
  readonly test: Test;
  readonly around: readonly Expr[];
}

/** The tests of an expression from left to right. */
export function placedTests(expr: Expr, around: readonly Expr[] = []): readonly Placed[] {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return expr.operands.flatMap((operand, index) =>
        placedTests(operand, [...around, ...decidedBy(expr, index)]),
      );
    case "not":
      return placedTests(expr.operand, around);
    case "const":
      return [];
    default:
      return [{ test: expr, around }];
  }
}

export function truth(value: boolean, { span }: Expr): Expr {
  return { kind: "const", value, span };
}

export function negation(operand: Expr): Expr {
  return { kind: "not", operand, span: operand.span };
}

export function both(a: Expr, b: Expr): Expr {
  return { kind: "and", operands: [a, b], span: a.span };
}

/** Exactly one of the two holds. */
export function either(a: Expr, b: Expr): Expr {
  return { kind: "xor", operands: [a, b], span: a.span };
}

/** Bits of the number that a test asks about. */
export function widthOf(test: Test): number {
  return test.kind === "number" || test.kind === "bits" ? test.field.width : ADDRESS_BITS[test.family];
}

/** The values for which a test holds. */
export function valuesOf(test: Exclude<Test, { kind: "bits" }>, { lists }: Policy): Intervals {
  switch (test.kind) {
    case "address":
    case "number":
      return test.ranges;
    case "list": {
      const list = lists.find(({ name }) => name === test.list);
      invariant(list, `list ${test.list} is in the policy`);
      return list[test.family];
    }
    default:
      return assertNever(test);
  }
}
