import { analyzeTogether } from "../../compiler/compile.js";
import { compare } from "../../compiler/diagnostics/compare.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../../compiler/diagnostics/span.js";
import type { Suppressed } from "../../compiler/diagnostics/suppressions.js";
import type { ModuleHost } from "../../dsl/modules.js";
import { EXIT } from "../exit.js";
import { projectModules } from "../io/project.js";
import { readGeography } from "../io/read-geography.js";
import { readSource } from "../io/read-source.js";
import { type Format, type Report, renderReport } from "../render/report.js";
import { sourcesOf } from "../render/sources.js";

interface CheckOptions {
  readonly format: Format;
  readonly strict?: boolean;
  /** A file with the operator's tables of countries and AS numbers. */
  readonly geo?: string;
  /** False with `--no-types`. */
  readonly types?: boolean;
}

interface Checked {
  readonly source: SourceFile;
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
}

/** `tidegate check`: reports on every file, also when an earlier one has errors. */
export async function check(files: readonly string[], options: CheckOptions): Promise<number> {
  const modules = projectModules();
  const geography = options.geo === undefined ? undefined : readGeography(options.geo);
  const texts = files.map((file) => ({ file, text: readSource(file) }));
  const read = analyzeTogether(texts, modules, geography);
  const report = await reportOn(files, read, modules, options.types ?? true);
  const text = renderReport(report, options.format, process.cwd());
  if (text !== "") console.log(text);
  return report.diagnostics.some((d) => isFailure(d, options.strict ?? false)) ? EXIT.failed : EXIT.ok;
}

async function reportOn(
  files: readonly string[],
  read: readonly Checked[],
  modules: ModuleHost,
  withTypes: boolean,
): Promise<Report> {
  const found = read.flatMap(({ diagnostics }) => diagnostics);
  const suppressed = eachOnce(
    read.flatMap((one) => one.suppressed),
    (one) => one.diagnostic,
  );
  const typed = withTypes ? await typeCheck(read, modules) : undefined;
  return {
    files,
    diagnostics: inOrder([...found, ...(typed?.diagnostics ?? [])], files),
    suppressed,
    sources: sourcesOf([
      ...(typed?.sources.values() ?? []),
      ...read.flatMap((one) => [...one.sources.values()]),
    ]),
  };
}

/** The type checker is loaded only when it is used: it costs as much as all the rest. */
async function typeCheck(read: readonly Checked[], modules: ModuleHost) {
  const { checkTypes, isTooMuch } = await import("../types/check-types.js");
  const fit = read.filter(({ diagnostics }) => !isTooMuch(diagnostics));
  return checkTypes(
    fit.map(({ source }) => source),
    modules,
    fit.flatMap(({ diagnostics }) => diagnostics),
  );
}

/** File by file as they were asked for, what they import behind them. */
function inOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): readonly Diagnostic[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = ({ span }: Diagnostic) => order.get(span.file) ?? files.length;
  return [...eachOnce(diagnostics, (one) => one)].sort(
    (a, b) => rank(a) - rank(b) || compare(a.span.file, b.span.file) || a.span.start - b.span.start,
  );
}

/** Where several policies import a module, each of them has found what is wrong in it. */
function eachOnce<T>(found: readonly T[], diagnosticOf: (one: T) => Diagnostic): readonly T[] {
  const key = ({ code, span, message }: Diagnostic) => `${code} ${span.start} ${span.file}\n${message}`;
  return [...new Map(found.map((one) => [key(diagnosticOf(one)), one])).values()];
}

function isFailure(diagnostic: Diagnostic, strict: boolean): boolean {
  return diagnostic.severity === "error" || (strict && diagnostic.severity === "warning");
}
