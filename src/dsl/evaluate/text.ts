import type { Span } from "../../compiler/diagnostics/span.js";
import type { Evaluation } from "./evaluation.js";
import { describe, type Value } from "./value.js";

/** A value as it stands in a template string; undefined after a report. */
export function textFrom(value: Value, span: Span, run: Evaluation): string | undefined {
  if (value.kind === "string" || value.kind === "number" || value.kind === "boolean") return `${value.value}`;
  if (value.kind !== "error") run.diagnostics.report("TG1047", span, { found: describe(value) });
  return undefined;
}
