import pc from "picocolors";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { underline } from "./underline.js";

/** Of a span over more lines the first and the last are shown. */
const MAX_LINES = 4;

/** The lines of a span with carets under what it marks, each line numbered. */
export function frame(span: Span, source: SourceFile, paint: (text: string) => string): readonly string[] {
  const lines = Array.from({ length: span.endLine - span.line + 1 }, (_, index) => span.line + index);
  const width = Math.max(4, String(span.endLine).length);
  const shown = lines.length <= MAX_LINES ? lines : [span.line, span.endLine];
  return shown.flatMap((number, index) => {
    const left = index > 0 && lines.length > MAX_LINES ? [pc.dim(`${" ".repeat(width)} …`)] : [];
    return [...left, ...markedLine(number, span, source, width, paint)];
  });
}

function markedLine(
  number: number,
  span: Span,
  source: SourceFile,
  width: number,
  paint: (text: string) => string,
): readonly string[] {
  const text = source.line(number);
  const start = number === span.line ? span.column - 1 : text.length - text.trimStart().length;
  const end = number === span.endLine ? span.endColumn - 1 : text.trimEnd().length;
  const bar = pc.dim("|");
  const { line, before, carets } = underline(text, start, end);
  const numbered = `${pc.dim(String(number).padStart(width))} ${bar} ${line}`.trimEnd();
  // Inside of a span over several lines a line can be empty, or hold nothing of it but its indentation.
  if (number !== span.line && end <= start) return [numbered];
  return [numbered, `${" ".repeat(width)} ${bar} ${before}${paint(carets)}`];
}
