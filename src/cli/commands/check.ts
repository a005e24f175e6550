import pc from "picocolors";
import { analyze, analyzeEdge } from "../../compiler/compile.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../../compiler/diagnostics/span.js";
import { EXIT } from "../exit.js";
import { readSource } from "../io/read-source.js";
import { diagnosticRow, renderGithub } from "../render/machine.js";
import { renderCounts, renderPretty } from "../render/pretty.js";

interface CheckOptions {
  readonly format: "pretty" | "json" | "github";
  readonly strict?: boolean;
}

interface Checked {
  readonly source: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** `tidegate check`: reports on every file, also when an earlier one has errors. */
export async function check(files: readonly string[], options: CheckOptions): Promise<number> {
  const checked = files.map(checkFile);
  const all = checked.flatMap(({ diagnostics }) => diagnostics);
  switch (options.format) {
    case "pretty":
      printPretty(files, checked);
      break;
    case "json":
      console.log(JSON.stringify(all.map(diagnosticRow), null, 2));
      break;
    case "github":
      for (const diagnostic of all) console.log(renderGithub(diagnostic));
      break;
  }
  return all.some((d) => isFailure(d, options.strict ?? false)) ? EXIT.failed : EXIT.ok;
}

function checkFile(file: string): Checked {
  const text = readSource(file);
  return isEdge(text) ? analyzeEdge(file, text) : analyze(file, text);
}

/** Operators' files and policies differ in what they export. */
function isEdge(text: string): boolean {
  return /^\s*export\s+default\s+edge\s*\(/m.test(text);
}

function isFailure(diagnostic: Diagnostic, strict: boolean): boolean {
  return diagnostic.severity === "error" || (strict && diagnostic.severity === "warning");
}

function printPretty(files: readonly string[], checked: readonly Checked[]): void {
  for (const { source, diagnostics } of checked) {
    for (const diagnostic of diagnostics) console.log(`${renderPretty(diagnostic, source)}\n`);
  }
  const counts = renderCounts(checked.flatMap(({ diagnostics }) => diagnostics));
  const subject = files.length === 1 ? files[0] : `${files.length} files`;
  console.log(counts === "" ? `${pc.green("ok")} ${subject}` : `${subject}: ${counts}`);
}
