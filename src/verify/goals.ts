import { type Box, boxesOf } from "../compiler/analysis/boxes.js";
import type { Effort } from "../compiler/analysis/cover.js";
import type { Space } from "../compiler/analysis/space.js";
import { type Expr, isTest, type Test } from "../compiler/ir/expr.js";
import { complement, type Intervals } from "../compiler/ir/intervals.js";
import type { AddressList, Policy } from "../compiler/ir/policy.js";
import { negation, valuesOf, widthOf } from "./expressions.js";
import { spread } from "./spread.js";

/** An expression, and whether it must hold. */
export interface Goal {
  readonly expr: Expr;
  readonly wanted: boolean;
}

/** Some boxes in all of which the goals are met; not `exact`: they may be met elsewhere too. */
export interface Met {
  readonly boxes: readonly Box[];
  readonly exact: boolean;
}

interface Terms {
  readonly space: Space;
  readonly policy: Policy;
  readonly effort: Effort;
}

/** Conditions of more boxes are taken apart, and looked at one way of meeting them after the other. */
const MANY_BOXES = 64;
/** What making boxes costs, in cells that are looked at: little for a few, much where they turn out to be too many. */
const COST = { each: 100, tooMany: 20_000 };

/** Where all goals are met, part by part. Nothing more comes once the effort is spent. */
export function* meeting(goals: readonly Goal[], terms: Terms): Generator<Met> {
  const { space, policy, effort } = terms;
  const boxes = together(goals, space, policy.lists);
  effort.left -= boxes ? COST.each * (1 + boxes.length) : COST.tooMany;
  if (boxes) {
    yield { boxes, exact: true };
    return;
  }
  const flat = flattened(goals);
  const open = flat.find((goal) => alternativesOf(goal) !== undefined);
  if (!open) {
    const few = flat.map((goal) => thinned(goal, policy));
    yield { boxes: together(few, space, policy.lists) ?? [], exact: false };
    return;
  }
  const rest = flat.filter((goal) => goal !== open);
  for (const way of alternativesOf(open) ?? []) {
    if (effort.left < 0) return;
    yield* meeting([...way, ...rest], terms);
  }
}

function together(
  goals: readonly Goal[],
  space: Space,
  lists: readonly AddressList[],
): readonly Box[] | undefined {
  const [first, ...more] = goals.map(({ expr, wanted }) => (wanted ? expr : negation(expr)));
  if (!first) return [{ restricts: new Map() }];
  const all: Expr = more.length === 0 ? first : { kind: "and", operands: [first, ...more], span: first.span };
  return boxesOf(all, space, lists, MANY_BOXES);
}

/** Without goals that others say in pieces. */
function flattened(goals: readonly Goal[]): readonly Goal[] {
  return goals.flatMap((goal): readonly Goal[] => {
    const { expr, wanted } = goal;
    if (expr.kind === "not") return flattened([{ expr: expr.operand, wanted: !wanted }]);
    if ((expr.kind === "and" && wanted) || (expr.kind === "or" && !wanted))
      return flattened(expr.operands.map((operand) => ({ expr: operand, wanted })));
    return [goal];
  });
}

/** The ways in which a goal can be met, each a set of goals; undefined: it is a question about one thing. */
function alternativesOf({ expr, wanted }: Goal): readonly (readonly Goal[])[] | undefined {
  switch (expr.kind) {
    case "and":
    case "or":
      return expr.operands.map((operand) => [{ expr: operand, wanted }]);
    case "xor": {
      const [first, ...rest] = expr.operands;
      if (!first) return wanted ? [] : [[]];
      const others: Expr = { ...expr, operands: rest };
      return [true, false].map((holds) => [
        { expr: first, wanted: holds },
        { expr: others, wanted: wanted !== holds },
      ]);
    }
    default:
      return undefined;
  }
}

/** A set of IPv6 addresses is about as many boxes as it has prefixes: some of them stand for all. */
const FEW_RANGES = 8;

function thinned(goal: Goal, policy: Policy): Goal {
  const { expr, wanted } = goal;
  if (!isTest(expr) || expr.kind === "bits" || expr.kind === "number") return goal;
  const values = valuesOf(expr, policy);
  const chosen = wanted ? values : complement(values, widthOf(expr));
  if (chosen.length <= FEW_RANGES) return goal;
  return { expr: withValues(expr, spread(chosen, FEW_RANGES)), wanted: true };
}

function withValues(test: Extract<Test, { kind: "address" | "list" }>, ranges: Intervals): Expr {
  const { field, family, needs, span } = test;
  return { kind: "address", field, family, ranges, needs, span };
}
