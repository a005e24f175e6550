import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { describeValue } from "../ir/value.js";
import type { Comparison } from "./filters.js";

/** Longer patterns, and counted repetition, could make a match take longer than anybody waits. */
const MAX_PATTERN = 64;
const PATTERN = /^[\w .*+?|()[\]^$-]*$/;

/** Whether a text fulfils `contains` or `matches`; undefined after a report. */
export function textTest(
  { op, value, field }: Extract<Comparison, { kind: "text" }>,
  diagnostics: Diagnostics,
): ((text: string | number) => boolean) | undefined {
  if (value.kind !== "string") {
    const params = { field: field.name, type: "a text", value: describeValue(value) };
    diagnostics.report("TG2004", value.span, params, { hint: "write it in double quotes" });
    return undefined;
  }
  if (op === "contains") return (text) => String(text).includes(value.value);
  const pattern = readPattern(value.value);
  if (typeof pattern !== "string") return (text) => pattern.test(String(text));
  diagnostics.report("TG2014", value.span, { problem: pattern });
  return undefined;
}

/** The regular expression, or what is wrong with it. */
function readPattern(text: string): RegExp | string {
  if (text.length > MAX_PATTERN) return `it is longer than ${MAX_PATTERN} characters`;
  if (!PATTERN.test(text)) return "only letters, digits and . * + ? | ( ) [ ] ^ $ - can stand in one";
  try {
    return new RegExp(text, "u");
  } catch {
    return "it is no regular expression";
  }
}
