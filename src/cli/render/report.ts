import pc from "picocolors";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import type { Suppressed } from "../../compiler/diagnostics/suppressions.js";
import { diagnosticRow, renderGithub } from "./machine.js";
import { renderCounts, renderPretty } from "./pretty.js";
import { sarifLog } from "./sarif.js";
import type { Sources } from "./sources.js";
import { printable } from "./underline.js";

/** All that `tidegate check` has found. */
export interface Report {
  /** The files that were asked for; what they import may be spoken of as well. */
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
  readonly sources: Sources;
}

export const FORMATS = ["pretty", "json", "sarif", "github"] as const;
export type Format = (typeof FORMATS)[number];

/** The whole of what `check` prints, without the last line break; `folder`: the working directory. */
export function renderReport(report: Report, format: Format, folder: string): string {
  switch (format) {
    case "pretty":
      return pretty(report);
    case "json":
      return JSON.stringify(report.diagnostics.map(diagnosticRow), null, 2);
    case "sarif":
      return JSON.stringify(sarifLog(report, folder), null, 2);
    case "github":
      return report.diagnostics.map(renderGithub).join("\n");
  }
}

function pretty({ files, diagnostics, sources }: Report): string {
  const shown = diagnostics.map((one) => `${renderPretty(one, sources)}\n`);
  const counts = renderCounts(diagnostics);
  const [first = "", ...more] = files;
  const subject = more.length === 0 ? printable(first) : `${files.length} files`;
  const end = counts === "" ? `${pc.green("ok")} ${subject}` : `${subject}: ${counts}`;
  return [...shown, end].join("\n");
}
