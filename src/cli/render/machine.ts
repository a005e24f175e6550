import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { printable } from "./underline.js";

/** One row of `check --format json`; columns count from 1, `endColumn` is behind the last character. */
export function diagnosticRow(diagnostic: Diagnostic): object {
  const { code, severity, message, span, hint, related } = diagnostic;
  const { file, line, column, endLine, endColumn } = span;
  return {
    code,
    severity,
    message,
    file,
    line,
    column,
    endLine,
    endColumn,
    hint,
    related: related.map((label) => ({
      text: label.text,
      file: label.span.file,
      line: label.span.line,
      column: label.span.column,
      endLine: label.span.endLine,
      endColumn: label.span.endColumn,
    })),
  };
}

const GITHUB_COMMANDS = { error: "error", warning: "warning", note: "notice" } as const;

/** A workflow command that GitHub shows beside the line; escaped as its toolkit does (actions/toolkit, command.ts). */
export function renderGithub({ code, severity, message, span, hint }: Diagnostic): string {
  const properties = [
    `file=${escapeProperty(span.file)}`,
    `line=${span.line}`,
    `col=${span.column}`,
    `endLine=${span.endLine}`,
    `endColumn=${span.endColumn}`,
    `title=${code}`,
  ].join(",");
  return `::${GITHUB_COMMANDS[severity]} ${properties}::${escapeData(hint === null ? message : `${message}\nhint: ${hint}`)}`;
}

/** The log is shown on terminals too. */
function escapeData(text: string): string {
  const lines = text.replaceAll("%", "%25").split("\n");
  return lines.map(printable).join("%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
