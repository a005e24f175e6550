import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Evaluation } from "./evaluation.js";
import { evaluateMaybe } from "./members.js";
import { isScalar, isTruthy, scalarOf } from "./scalars.js";
import { describe, errorValue, isFunction, isMissing, type Value } from "./value.js";

type Arithmetic = (a: number, b: number) => number;

const ARITHMETIC: ReadonlyMap<string, Arithmetic> = new Map<string, Arithmetic>([
  ["+", (a, b) => a + b],
  ["-", (a, b) => a - b],
  ["*", (a, b) => a * b],
  ["/", (a, b) => a / b],
  ["%", (a, b) => a % b],
  ["**", (a, b) => a ** b],
  ["&", (a, b) => a & b],
  ["|", (a, b) => a | b],
  ["^", (a, b) => a ^ b],
  ["<<", (a, b) => a << b],
  [">>", (a, b) => a >> b],
  [">>>", (a, b) => a >>> b],
]);

type Ordering = <T extends number | string>(a: T, b: T) => boolean;

const ORDERING: ReadonlyMap<string, Ordering> = new Map<string, Ordering>([
  ["<", (a, b) => a < b],
  ["<=", (a, b) => a <= b],
  [">", (a, b) => a > b],
  [">=", (a, b) => a >= b],
]);

export function evaluateBinary(node: TSESTree.BinaryExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  const { operator } = node;
  if (operator === "==" || operator === "!=") {
    return run.refuse("TG1030", node, { what: `\`${operator}\`` }, { hint: `write \`${operator}=\`` });
  }
  if (node.left.type === "PrivateIdentifier") return errorValue(span);
  if (operator === "in" || operator === "instanceof") {
    const hint =
      operator === "in" ? "write `object.name !== undefined`" : "write `Array.isArray(…)` or `typeof`";
    return run.refuse("TG1030", node, { what: `\`${operator}\`` }, { hint });
  }
  const isEquality = operator === "===" || operator === "!==";
  const read = isEquality ? evaluateMaybe : (side: TSESTree.Expression) => run.evaluate(side);
  const left = read(node.left, run);
  const right = read(node.right, run);
  if (left.kind === "error" || right.kind === "error") return errorValue(span);
  if (operator === "===" || operator === "!==") return equality(operator, left, right, node, run);

  const arithmetic = ARITHMETIC.get(operator);
  if (arithmetic && left.kind === "number" && right.kind === "number") {
    return { kind: "number", value: arithmetic(left.value, right.value), span };
  }
  const ordering = ORDERING.get(operator);
  if (ordering && left.kind === "number" && right.kind === "number") {
    return { kind: "boolean", value: ordering(left.value, right.value), span };
  }
  if (ordering && left.kind === "string" && right.kind === "string" && payForTexts(left, right, span, run)) {
    return { kind: "boolean", value: ordering(left.value, right.value), span };
  }
  return operator === "+" ? join(left, right, node, run) : mismatch(operator, left, right, node, run);
}

/** `+` with text on a side, as in JavaScript, for texts and numbers only. */
function join(left: Value, right: Value, node: TSESTree.BinaryExpression, run: Evaluation): Value {
  const joinable =
    (left.kind === "string" || left.kind === "number") &&
    (right.kind === "string" || right.kind === "number");
  if (!joinable) return mismatch("+", left, right, node, run);
  const span = run.spanOf(node);
  const value = `${left.value}${right.value}`;
  return run.spend(value.length, span) ? { kind: "string", value, span } : errorValue(span);
}

function equality(
  operator: "===" | "!==",
  left: Value,
  right: Value,
  node: TSESTree.BinaryExpression,
  run: Evaluation,
): Value {
  const span = run.spanOf(node);
  if (!isScalar(left) && !isScalar(right)) return mismatch(operator, left, right, node, run);
  if (!payForTexts(left, right, span, run)) return errorValue(span);
  const equal = isScalar(left) && isScalar(right) && scalarOf(left) === scalarOf(right);
  return { kind: "boolean", value: equal === (operator === "==="), span };
}

/** Texts are compared character by character, some dozen in the time of one value. */
function payForTexts(left: Value, right: Value, span: Span, run: Evaluation): boolean {
  if (left.kind !== "string" || right.kind !== "string") return true;
  return run.spend(Math.min(left.value.length, right.value.length) >> 4, span);
}

function mismatch(
  operator: string,
  left: Value,
  right: Value,
  node: TSESTree.BinaryExpression,
  run: Evaluation,
): Value {
  return run.refuse("TG1040", node, { operator, operands: `${describe(left)} and ${describe(right)}` });
}

export function evaluateUnary(node: TSESTree.UnaryExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  const { operator } = node;
  if (operator === "void" || operator === "delete") {
    const hint =
      operator === "void" ? "write `undefined`" : "make a new object: `const { name, ...others } = object`";
    return run.refuse("TG1030", node, { what: `\`${operator}\`` }, { hint });
  }
  if (operator === "typeof") return typeOf(evaluateMaybe(node.argument, run), span);
  const operand = run.evaluate(node.argument);
  if (operand.kind === "error") return errorValue(span);
  if (operator === "!") return { kind: "boolean", value: !isTruthy(operand), span };
  if (operand.kind !== "number") {
    return run.refuse("TG1040", node, { operator, operands: describe(operand) });
  }
  const { value } = operand;
  return { kind: "number", value: operator === "-" ? -value : operator === "~" ? ~value : value, span };
}

function typeOf(value: Value, span: Span): Value {
  if (value.kind === "error") return errorValue(span);
  const isPlain = isScalar(value) && value.kind !== "null";
  const name = isPlain ? value.kind : isFunction(value) ? "function" : "object";
  return { kind: "string", value: name, span };
}

/** `&&`, `||`, `??`: the side that is not needed is not read, as in JavaScript. */
export function evaluateLogical(node: TSESTree.LogicalExpression, run: Evaluation): Value {
  const left = node.operator === "??" ? evaluateMaybe(node.left, run) : run.evaluate(node.left);
  return left.kind === "error" || decides(left, node.operator) ? left : run.evaluate(node.right);
}

function decides(left: Value, operator: TSESTree.LogicalExpression["operator"]): boolean {
  switch (operator) {
    case "&&":
      return !isTruthy(left);
    case "||":
      return isTruthy(left);
    case "??":
      return !isMissing(left);
  }
}

export function evaluateConditional(node: TSESTree.ConditionalExpression, run: Evaluation): Value {
  const test = run.evaluate(node.test);
  if (test.kind === "error") return errorValue(run.spanOf(node));
  return run.evaluate(isTruthy(test) ? node.consequent : node.alternate);
}
