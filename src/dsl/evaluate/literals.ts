import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Evaluation } from "./evaluation.js";
import { textFrom } from "./text.js";
import { errorValue, type Value } from "./value.js";

export function evaluateLiteral(node: TSESTree.Literal, run: Evaluation): Value {
  const span = run.spanOf(node);
  const { value } = node;
  switch (typeof value) {
    case "string":
      return stringValue(value, span, run);
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
  const parts = node.expressions.map((expression) =>
    textFrom(run.evaluate(expression), run.spanOf(expression), run),
  );
  if (parts.includes(undefined)) return errorValue(span);
  const pieces = node.quasis.flatMap((quasi, index) => [quasi.value.cooked ?? "", parts[index] ?? ""]);
  // Paid for before it is made: a text may be too long for JavaScript itself.
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return run.spend(length, span) ? stringValue(pieces.join(""), span, run) : errorValue(span);
}

/** A literal's value; escapes and interpolations make it another text than the one written. */
function stringValue(value: string, span: Span, run: Evaluation): Value {
  const verbatim = run.source.text.slice(span.start + 1, span.end - 1) === value;
  return { kind: "string", value, span, verbatim };
}
