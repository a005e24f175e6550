import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { evaluateModule } from "./evaluate/module.js";
import { describe, type Value } from "./evaluate/value.js";
import { parseModule } from "./parse-module.js";
import { readSuppressions } from "./suppressions.js";

/** What a module exports, if it is of the wanted kind; TG105x otherwise. */
export function readModule<K extends "policy" | "edge">(
  kind: K,
  source: SourceFile,
  diagnostics: Diagnostics,
): Extract<Value, { kind: K }> | undefined {
  const program = parseModule(source, diagnostics);
  if (!program) return undefined;
  readSuppressions(program, source, diagnostics);
  const value = evaluateModule(program, source, diagnostics);
  const wanted = kind === "policy" ? "a policy" : "an edge";
  if (!value) {
    const hint = `end the file with \`export default ${kind}({…})\``;
    diagnostics.report("TG1050", source.span(0, 0), { wanted: kind }, { hint });
  } else if (isKind(value, kind)) return value;
  else if (value.kind !== "error") {
    const hint = value.kind === "policy" || value.kind === "edge" ? otherKind(value.kind) : undefined;
    diagnostics.report("TG1052", value.via ?? value.span, { wanted, found: describe(value) }, { hint });
  }
  return undefined;
}

function isKind<K extends "policy" | "edge">(value: Value, kind: K): value is Extract<Value, { kind: K }> {
  return value.kind === kind;
}

function otherKind(kind: "policy" | "edge"): string {
  return kind === "edge"
    ? "this is the operator's file; give the policy of a customer here"
    : "this is a customer's policy; give the operator's file here";
}
