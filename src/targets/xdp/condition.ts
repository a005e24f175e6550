import { invariant } from "../../compiler/diagnostics/invariant.js";

/** A C condition before it becomes text: a tree, so that long ones can break at their operators. */
export type Condition =
  /** A name, a number or a call: binds tighter than any operator. */
  | { readonly kind: "call"; readonly text: string }
  | { readonly kind: "comparison"; readonly text: string }
  | { readonly kind: "not"; readonly operand: Condition }
  | { readonly kind: "chain"; readonly operator: Operator; readonly operands: readonly Condition[] };

export type Operator = "&&" | "||" | "^";

/** Columns of a line; the kernel allows 100 where 80 would hide what is meant. */
const WIDTH = 100;
const TAB = 8;

export const TRUE: Condition = { kind: "call", text: "true" };
export const FALSE: Condition = { kind: "call", text: "false" };

export function call(text: string): Condition {
  return { kind: "call", text };
}

export function comparison(text: string): Condition {
  return { kind: "comparison", text };
}

export function not(operand: Condition): Condition {
  return operand.kind === "not" ? operand.operand : { kind: "not", operand };
}

/** `a && b && …` and the like, flat; one operand stands for itself. */
export function chain(operator: Operator, operands: readonly Condition[]): Condition {
  const flat = operands.flatMap((one) =>
    one.kind === "chain" && one.operator === operator ? one.operands : [one],
  );
  const [first, ...rest] = flat;
  invariant(first, "a chain of conditions has an operand");
  return rest.length === 0 ? first : { kind: "chain", operator, operands: flat };
}

/** Operands of one `^`: clang computes all of them before it joins them, and has 512 bytes of stack to keep them in. */
const PARITY_GROUP = 16;

/** Exclusive or: an odd number of the operands hold. */
export function parity(operands: readonly Condition[]): Condition {
  if (operands.length <= PARITY_GROUP) return chain("^", operands);
  const count = Math.ceil(operands.length / PARITY_GROUP);
  const groups = Array.from({ length: count }, (_, i) =>
    chain("^", operands.slice(i * PARITY_GROUP, (i + 1) * PARITY_GROUP)),
  );
  // Not by chain(), which would make one of them again.
  return { kind: "chain", operator: "^", operands: groups };
}

/**
 * The lines of `head` condition `tail`, for a place one tab deep. Further lines are aligned behind `head`.
 */
export function layout(head: string, condition: Condition, tail: string): readonly string[] {
  const lines = suffixed(render(condition, TAB + head.length, tail.length), tail);
  return prefixed(head, lines);
}

/** One line if it fits from `column` on with `reserve` columns to spare, else one or more for each operand. */
function render(condition: Condition, column: number, reserve: number): readonly string[] {
  const flat = inline(condition);
  if (column + flat.length + reserve <= WIDTH) return [flat];
  switch (condition.kind) {
    case "call":
    case "comparison":
      return [flat];
    case "not":
      return prefixed("!", renderOperand(condition.operand, "!", column + 1, reserve));
    case "chain":
      return condition.operands.flatMap((operand, i) => {
        const after = i === condition.operands.length - 1 ? "" : ` ${condition.operator}`;
        return suffixed(renderOperand(operand, condition.operator, column, reserve + after.length), after);
      });
  }
}

function renderOperand(
  operand: Condition,
  of: Operator | "!",
  column: number,
  reserve: number,
): readonly string[] {
  const open = opening(operand, of);
  if (open === "") return render(operand, column, reserve);
  return suffixed(prefixed(open, render(operand, column + open.length, reserve + 1)), ")");
}

function inline(condition: Condition): string {
  switch (condition.kind) {
    case "call":
    case "comparison":
      return condition.text;
    case "not":
      return `!${inlineOperand(condition.operand, "!")}`;
    case "chain":
      return condition.operands
        .map((operand) => inlineOperand(operand, condition.operator))
        .join(` ${condition.operator} `);
  }
}

function inlineOperand(operand: Condition, of: Operator | "!"): string {
  const open = opening(operand, of);
  return open === "" ? inline(operand) : `${open}${inline(operand)})`;
}

/**
 * What comes before an operand that a `)` must follow: a parenthesis where C's precedence needs one, or between
 * && and ||, where -Wparentheses asks for it. Operands of ^ are hidden from the verifier (see tidegate.h).
 */
function opening(operand: Condition, of: Operator | "!"): string {
  if (of === "^") return "tg_opaque(p, ";
  const tight =
    operand.kind === "call" || operand.kind === "not" || (operand.kind === "comparison" && of !== "!");
  return tight ? "" : "(";
}

function prefixed(prefix: string, lines: readonly string[]): readonly string[] {
  const margin = " ".repeat(prefix.length);
  return lines.map((line, i) => (i === 0 ? prefix : margin) + line);
}

function suffixed(lines: readonly string[], suffix: string): readonly string[] {
  return lines.map((line, i) => (i === lines.length - 1 ? line + suffix : line));
}
