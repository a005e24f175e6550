import { isDeepStrictEqual } from "node:util";
import { formatModule } from "../../src/cli/fmt/format-module.js";
import { FORMATS, type Report, renderReport } from "../../src/cli/render/report.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyzeAny, emit } from "../../src/compiler/compile.js";
import type { Code } from "../../src/compiler/diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../src/compiler/diagnostics/span.js";
import { printPolicy } from "../../src/compiler/ir/print.js";
import { type FuzzInput, hostFor, MAIN } from "./input.js";

/** What is tried besides reading: both take many times as long. */
export interface Depth {
  readonly fmt: boolean;
  readonly types: boolean;
}

export interface Outcome {
  readonly codes: readonly Code[];
  readonly understood: boolean;
}

/** What each command took, in milliseconds, also when it failed; the type checker's time is TypeScript's. */
export class Clock {
  #slowest = 0;

  get slowest(): number {
    return this.#slowest;
  }

  async measure<T>(run: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await run();
    } finally {
      this.#slowest = Math.max(this.#slowest, performance.now() - start);
    }
  }
}

/** Something that must not happen, whatever the input. */
export class Finding extends Error {
  override readonly name = "Finding";
}

type Analysis = ReturnType<typeof analyzeAny>;

/** Reads an input as `check`, `compile` and `fmt` do. Throws a Finding, or whatever our own code throws. */
export async function attempt(input: FuzzInput, depth: Depth, clock: Clock): Promise<Outcome> {
  const analysis = await clock.measure(() => checkAndCompile(input));
  const { policy, edge, diagnostics } = analysis;
  if (depth.fmt) await requireFormat(input, analysis, clock);
  if (depth.types) requireTypes(input, analysis);
  return { codes: diagnostics.map(({ code }) => code), understood: policy !== null || edge !== null };
}

function checkAndCompile(input: FuzzInput): Analysis {
  const analysis = analyzeAny(MAIN, input.main, hostFor(input));
  const { policy, edge, diagnostics } = analysis;
  const understood = policy !== null || edge !== null;
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  if (understood === hasErrors)
    throw new Finding(understood ? "an IR in spite of errors" : "neither an IR nor an error");
  for (const diagnostic of diagnostics) requirePlaces(diagnostic, analysis);
  requireReports(reportOf(analysis));
  if (policy) requireArtifacts(policy);
  return analysis;
}

function reportOf({
  diagnostics,
  suppressed,
  sources,
}: Omit<Analysis, "policy" | "written" | "edge" | "source">): Report {
  return { files: [MAIN], diagnostics, suppressed, sources: sourcesOf(sources.values()) };
}

function requirePlaces(
  { code, message, span, related, hint }: Diagnostic,
  { sources }: Pick<Analysis, "sources">,
): void {
  for (const place of [span, ...related.map((label) => label.span)]) requirePlace(code, place, sources);
  if (message.trim() === "" || hint?.trim() === "") throw new Finding(`${code} says nothing`);
  if (`${message}${hint}`.length > 2000) throw new Finding(`${code} says too much`);
}

function requirePlace(
  code: Code,
  { file, start, end, line, column }: Span,
  sources: ReadonlyMap<string, SourceFile>,
): void {
  const source = sources.get(file);
  if (!source) throw new Finding(`${code} points into ${file}, which is no source`);
  const inside = 0 <= start && start <= end && line >= 1 && column >= 1;
  // What is missing at the end may be pointed at behind it.
  if (!inside || start > source.text.length || end > source.text.length + 1)
    throw new Finding(`${code} points at ${start} to ${end}`);
}

/** C0 and C1 but line breaks and tabs, and what turns the direction of text around (UAX #9). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** Every form of a report can be made, and none has what would change a terminal. */
function requireReports(report: Report): void {
  const texts = FORMATS.map((format) => [format, renderReport(report, format, "/")] as const);
  for (const [format, text] of texts) {
    if (format === "json" || format === "sarif") JSON.parse(text);
    else if (CONTROLS.test(text)) throw new Finding(`control characters in the ${format} report`);
  }
}

function requireArtifacts(policy: NonNullable<Analysis["policy"]>): void {
  const artifacts = emit(policy);
  if (!isDeepStrictEqual(artifacts, emit(policy))) throw new Finding("the same policy gives other artifacts");
  if (artifacts.some(({ text }) => /undefined|NaN|\[object /.test(text)))
    throw new Finding("an artifact holds undefined");
}

/** What is formatted means the same, and formatting it again changes nothing. What can be read can be formatted. */
async function requireFormat(
  input: FuzzInput,
  { policy, diagnostics }: Analysis,
  clock: Clock,
): Promise<void> {
  const formatted = await clock.measure(() => formatModule(MAIN, input.main));
  if (formatted.kind === "unreadable") {
    if (policy) throw new Finding("fmt refuses what check accepts");
    const { diagnostics, source } = formatted;
    const sources = new Map([[source.file, source]]);
    requireReports(reportOf({ diagnostics, suppressed: [], sources }));
    return;
  }
  const again = await formatModule(MAIN, formatted.text);
  if (again.kind === "unreadable" || again.text !== formatted.text) throw new Finding("fmt does not settle");
  const read = analyzeAny(MAIN, formatted.text, hostFor({ ...input, main: formatted.text }));
  const before = policy && withoutLines(printPolicy(policy));
  const after = read.policy && withoutLines(printPolicy(read.policy));
  if (before !== after) throw new Finding("fmt changes what a policy means");
  const codes = (all: readonly Diagnostic[]) =>
    all
      .filter((one) => one.severity === "error")
      .map(({ code }) => code)
      .sort();
  if (diagnostics.length < 100 && !isDeepStrictEqual(codes(diagnostics), codes(read.diagnostics)))
    throw new Finding("fmt changes what is wrong with a policy");
}

function withoutLines(text: string): string {
  return text.replace(/\(line \d+\)/g, "");
}

function requireTypes(input: FuzzInput, { source, diagnostics }: Analysis): void {
  const typed = checkTypes([source], hostFor(input), diagnostics);
  for (const diagnostic of typed.diagnostics) requirePlaces(diagnostic, typed);
  requireReports(reportOf({ ...typed, suppressed: [] }));
}
