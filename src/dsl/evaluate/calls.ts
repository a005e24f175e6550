import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { makeFilter } from "../builtins/expr.js";
import { callBuiltin } from "../builtins/index.js";
import { spreadItems } from "./collections.js";
import type { Evaluation } from "./evaluation.js";
import { describe, errorValue, type Value } from "./value.js";

export function evaluateCall(node: TSESTree.CallExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  if (node.callee.type === "Super") return errorValue(span);
  const callee = run.evaluate(node.callee);
  const args = node.arguments.flatMap((argument) => {
    // What hangs on a method that is not read yet is not a second mistake.
    if (callee.kind === "error" && argument.type === "ArrowFunctionExpression") return [];
    return argument.type === "SpreadElement" ? spreadItems(argument, run) : [run.evaluate(argument)];
  });
  if (callee.kind === "error") return errorValue(span);
  if (callee.kind !== "builtin") return run.refuse("TG1042", node.callee, { found: describe(callee) });
  if (callee.name === "expr") {
    return run.refuse("TG1054", node.callee, { name: "expr", right: "as a template: expr`…`" });
  }
  return callBuiltin(callee.name, { span, callee: run.spanOf(node.callee), args }, run.diagnostics);
}

export function evaluateTaggedTemplate(node: TSESTree.TaggedTemplateExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  const tag = run.evaluate(node.tag);
  if (tag.kind === "error") return errorValue(span);
  if (tag.kind !== "builtin") return run.refuse("TG1042", node.tag, { found: describe(tag) });
  if (tag.name !== "expr") {
    return run.refuse("TG1054", node.tag, { name: tag.name, right: "as a call, with parentheses" });
  }
  const { quasis, expressions } = node.quasi;
  const holes = expressions.map((expression, index) => ({
    // A quasi's range reaches from its opening ` or } to its closing ` or ${.
    start: (quasis[index]?.range[1] ?? 0) - "${".length,
    end: (quasis[index + 1]?.range[0] ?? 0) + "}".length,
    value: run.evaluate(expression),
  }));
  const body = { start: node.quasi.range[0] + 1, end: node.quasi.range[1] - 1, holes };
  return makeFilter(body, span, run);
}
