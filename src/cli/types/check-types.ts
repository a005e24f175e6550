import type { Node, Program, SourceFile as TsSourceFile } from "typescript";
import { type Diagnostic, diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import type { ModuleHost } from "../../dsl/modules.js";
import { Files, hostFor, OPTIONS } from "./host.js";
import { type Problem, problemOf, spanOfNode, textOf } from "./problems.js";
import { ts } from "./typescript.js";

export interface TypeCheck {
  /** TG2070 and TG2071, in the order of the files and of their text. */
  readonly diagnostics: readonly Diagnostic[];
  /** Everything that diagnostics point into, by the name in their spans. */
  readonly sources: ReadonlyMap<string, SourceFile>;
}

/**
 * Type-checks modules and all that they import, as TypeScript does in a strict project, whatever tsconfig lies beside
 * them. `reported` is what our reader said of the same files: what it names as a mistake is not named again.
 */
export function checkTypes(
  entries: readonly SourceFile[],
  modules: ModuleHost,
  reported: readonly Diagnostic[],
): TypeCheck {
  const files = new Files();
  const errors = reported.filter(({ severity }) => severity === "error");
  const isReadable = entries.length > 0 && !isTooMuch(errors);
  const problems = isReadable ? problemsIn(entries, files, modules) : [];

  const unparsed = new Set(errors.filter(({ code }) => code === UNPARSED).map(({ span }) => span.file));
  const isNew = (problem: Problem): boolean =>
    !unparsed.has(problem.diagnostic.span.file) && !isReported(problem, errors);
  return { diagnostics: problems.filter(isNew).map(({ diagnostic }) => diagnostic), sources: files.sources };
}

/** Without a syntax tree of ours, TypeScript says the same again, and guesses at the rest. */
const UNPARSED = "TG1001";

/** Whether a file, or what it imports, was too much for our reader: TypeScript has no limits to hold it to. */
export function isTooMuch(reported: readonly Diagnostic[]): boolean {
  return reported.some(({ code }) => TOO_MUCH.has(code));
}

const TOO_MUCH: ReadonlySet<string> = new Set(["TG1002", "TG1003", "TG1005", "TG1060"]);

function problemsIn(entries: readonly SourceFile[], files: Files, modules: ModuleHost): readonly Problem[] {
  const rootNames = entries.map((source) => files.add(source));
  try {
    const program = ts.createProgram({ rootNames, options: OPTIONS, host: hostFor(files, modules) });
    const broken = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
    invariant(broken.length === 0, `TypeScript cannot start: ${broken.map(textOf).join(", ")}`);
    const computed = files.names.flatMap((name) => conditionalTypes(fileOf(name, program), files));
    return computed.length > 0 ? computed : files.names.flatMap((name) => problemsOf(name, program, files));
  } catch (error) {
    // The type checker recurses without a limit of its own, like the parser.
    const [first] = entries;
    if (!(error instanceof RangeError) || !first) throw error;
    const span = first.span(0, 0);
    return [{ diagnostic: diagnostic("TG1002", span, {}), places: [span] }];
  }
}

/** TG2071. Types that decide something can compute anything, and TypeScript would go on for as long as they do. */
function conditionalTypes(file: TsSourceFile, files: Files): readonly Problem[] {
  if (!file.text.includes("extends")) return [];
  const found: Problem[] = [];
  const visit = (node: Node): void => {
    const span = ts.isConditionalTypeNode(node) ? spanOfNode(node, files, file) : undefined;
    if (span) found.push({ diagnostic: diagnostic("TG2071", span, {}), places: [span] });
    else ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function fileOf(name: string, program: Program): TsSourceFile {
  const file = program.getSourceFile(name);
  invariant(file, `${name} is no part of the check`);
  return file;
}

function problemsOf(name: string, program: Program, files: Files): readonly Problem[] {
  const file = fileOf(name, program);
  const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  return found.map((one) => problemOf(one, files, program.getTypeChecker()));
}

function isReported({ places }: Problem, errors: readonly Diagnostic[]): boolean {
  return places.some((place) => errors.some(({ span }) => isSame(span, place)));
}

/** Two spans that overlap are one mistake; but what is wrong with many lines as a whole says nothing of a part. */
function isSame(reported: Span, place: Span): boolean {
  if (reported.file !== place.file) return false;
  const overlap = reported.start <= place.start ? place.start < reported.end : reported.start < place.end;
  const isWhole =
    reported.line !== reported.endLine &&
    reported.start <= place.start &&
    place.end <= reported.end &&
    reported.end - reported.start > place.end - place.start;
  return overlap && !isWhole;
}
