import fc from "fast-check";
import { expect, test } from "vitest";
import { boundsOf } from "../../src/compiler/ir/bounds.js";
import { type Expr, type Test, testsOf } from "../../src/compiler/ir/expr.js";
import { certainly } from "../../src/compiler/semantics/early.js";
import { and, constant, not, number, or, xor } from "../support/ir.js";

/** Few tests, so that expressions ask the same ones again: the number of a port stands for the test. */
const TESTS = [0, 1, 2, 3, 4].map((port) => number("tcp.dstport", port));

const expressions: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...TESTS),
    fc.boolean().map(constant),
    tie("expr").map(not),
    fc.array(tie("expr"), { maxLength: 3 }).map((operands) => and(...operands)),
    fc.array(tie("expr"), { maxLength: 3 }).map((operands) => or(...operands)),
    fc.array(tie("expr"), { maxLength: 3 }).map((operands) => xor(...operands)),
  ),
})).expr;

function indexOf(one: Test): number {
  return TESTS.findIndex((candidate) => JSON.stringify(ranges(candidate)) === JSON.stringify(ranges(one)));
}

function ranges(expr: Expr): readonly string[] {
  return expr.kind === "number" ? expr.ranges.map(({ low }) => String(low)) : [];
}

test("between the two bounds, and nowhere else, Kleene's logic does not know", () => {
  const answers = fc.array(fc.constantFrom(true, false, undefined), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(expressions, answers, (expr, known) => {
      const ask = (one: Test) => known[indexOf(one)];
      const { surely, maybe } = boundsOf(expr, (one) => ask(one) === undefined);
      const held = certainly(expr, ask);
      expect([...testsOf(surely), ...testsOf(maybe)].filter((one) => ask(one) === undefined)).toEqual([]);
      expect([certainly(surely, ask), certainly(maybe, ask)]).toEqual([held === true, held !== false]);
    }),
    { numRuns: 3000 },
  );
});

test("without unknown tests both are the expression itself", () => {
  fc.assert(
    fc.property(expressions, (expr) => {
      const { surely, maybe } = boundsOf(expr, () => false);
      expect([surely === expr, maybe === expr]).toEqual([true, true]);
    }),
  );
});
