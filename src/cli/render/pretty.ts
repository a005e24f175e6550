import pc from "picocolors";
import type { Diagnostic, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Severity } from "../../compiler/diagnostics/entry.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { frame } from "./frame.js";
import type { Sources } from "./sources.js";
import { printable } from "./underline.js";

const PAINT = { error: pc.red, warning: pc.yellow, note: pc.cyan } as const satisfies Record<
  Severity,
  unknown
>;

/** A diagnostic with the lines that it points at:
 *
 *     error[TG2001]: unknown field `ip.sorce`
 *       acme.policy.ts:9:24
 *        9 |   drop("bogons", expr`ip.sorce in {10.0.0.0/8}`),
 *          |                       ^^^^^^^^
 *       hint: did you mean `ip.src`?
 */
export function renderPretty(diagnostic: Diagnostic, sources: Sources): string {
  const paint = PAINT[diagnostic.severity];
  const { span, severity, code, message, hint, related } = diagnostic;
  return [
    `${paint(pc.bold(`${severity}[${code}]`))}${pc.bold(`: ${printable(message)}`)}`,
    `  ${place(span)}`,
    ...marked(span, sources, paint),
    ...related.flatMap((label) => renderLabel(label, span.file, sources)),
    ...(hint === null ? [] : [`  ${pc.green("hint:")} ${printable(hint)}`]),
  ].join("\n");
}

function renderLabel({ span, text }: Label, primaryFile: string, sources: Sources): readonly string[] {
  const elsewhere = span.file === primaryFile ? [] : [`  ${place(span)}`];
  return [`  ${pc.cyan("note:")} ${printable(text)}`, ...elsewhere, ...marked(span, sources, pc.cyan)];
}

function place({ file, line, column }: Span): string {
  return `${printable(file)}:${line}:${column}`;
}

function marked(span: Span, sources: Sources, paint: (text: string) => string): readonly string[] {
  const source = sources(span.file);
  return source ? frame(span, source, paint) : [];
}

/** `3 errors, 1 warning` */
export function renderCounts(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Severity) => {
    const n = diagnostics.filter((d) => d.severity === severity).length;
    return n === 0 ? [] : [`${n} ${severity}${n === 1 ? "" : "s"}`];
  };
  return [...count("error"), ...count("warning"), ...count("note")].join(", ");
}
