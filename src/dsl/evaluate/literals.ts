import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { describe, errorValue, type Value } from "./value.js";

export function evaluateLiteral(node: TSESTree.Literal, run: Evaluation): Value {
  const span = run.spanOf(node);
  const { value } = node;
  switch (typeof value) {
    case "string":
      return { kind: "string", value, span };
    case "number":
      return { kind: "number", value, span };
    case "boolean":
      return { kind: "boolean", value, span };
    case "bigint":
      return run.refuse("TG1030", node, { what: "a bigint" }, { hint: "leave out the `n`" });
    default:
      if ("regex" in node) {
        const hint = "list the values, or use a prefix or a range";
        return run.refuse("TG1030", node, { what: "a regular expression" }, { hint });
      }
      return { kind: "null", span };
  }
}

/** `` `10.0.${n}.0/24` `` */
export function evaluateTemplate(node: TSESTree.TemplateLiteral, run: Evaluation): Value {
  const span = run.spanOf(node);
  const parts = node.expressions.map((expression) => textOf(expression, run));
  if (parts.includes(undefined)) return errorValue(span);
  const value = node.quasis.map((quasi, i) => `${quasi.value.cooked ?? ""}${parts[i] ?? ""}`).join("");
  return run.spend(value.length, span) ? { kind: "string", value, span } : errorValue(span);
}

function textOf(node: TSESTree.Expression, run: Evaluation): string | undefined {
  const value = run.evaluate(node);
  if (value.kind === "string" || value.kind === "number" || value.kind === "boolean") return `${value.value}`;
  if (value.kind !== "error") run.refuse("TG1047", node, { found: describe(value) });
  return undefined;
}
