import pc from "picocolors";
import type { Diagnostic, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Severity } from "../../compiler/diagnostics/entry.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { printable, underline } from "./underline.js";

const PAINT = { error: pc.red, warning: pc.yellow, note: pc.cyan } as const satisfies Record<
  Severity,
  unknown
>;

/** A diagnostic with the line that it points at:
 *
 *     error[TG2001]: unknown field `ip.sorce`
 *       acme.policy.ts:9:24
 *        9 |   drop("bogons", expr`ip.sorce in {10.0.0.0/8}`),
 *          |                       ^^^^^^^^
 *       hint: did you mean `ip.src`?
 */
export function renderPretty(diagnostic: Diagnostic, source: SourceFile): string {
  const paint = PAINT[diagnostic.severity];
  const { span } = diagnostic;
  return [
    `${paint(pc.bold(`${diagnostic.severity}[${diagnostic.code}]`))}${pc.bold(`: ${printable(diagnostic.message)}`)}`,
    `  ${printable(span.file)}:${span.line}:${span.column}`,
    ...frame(span, source, paint),
    ...diagnostic.related.flatMap((label) => renderLabel(label, source)),
    ...(diagnostic.hint === null ? [] : [`  ${pc.green("hint:")} ${printable(diagnostic.hint)}`]),
  ].join("\n");
}

function renderLabel(label: Label, source: SourceFile): readonly string[] {
  return [`  ${pc.cyan("note:")} ${printable(label.text)}`, ...frame(label.span, source, pc.cyan)];
}

/** The first line of the span with carets under it; a span over several lines is marked to its first line's end. */
function frame(span: Span, source: SourceFile, paint: (text: string) => string): readonly string[] {
  const text = source.line(span.line);
  const end = span.endLine === span.line ? span.endColumn : text.length + 1;
  const { line, before, carets } = underline(text, span.column - 1, end - 1);
  const number = String(span.line).padStart(4);
  const bar = pc.dim("|");
  return [`${pc.dim(number)} ${bar} ${line}`, `     ${bar} ${before}${paint(carets)}`];
}

/** `3 errors, 1 warning` */
export function renderCounts(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Severity) => {
    const n = diagnostics.filter((d) => d.severity === severity).length;
    return n === 0 ? [] : [`${n} ${severity}${n === 1 ? "" : "s"}`];
  };
  return [...count("error"), ...count("warning"), ...count("note")].join(", ");
}
