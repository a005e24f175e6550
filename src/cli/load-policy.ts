import { analyze } from "../compiler/compile.js";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import type { Policy } from "../compiler/ir/policy.js";
import type { SurfaceRule } from "../dsl/surface.js";
import { projectModules } from "./io/project.js";
import { readGeography } from "./io/read-geography.js";
import { readSource } from "./io/read-source.js";
import { renderCounts, renderPretty } from "./render/pretty.js";
import { sourcesOf } from "./render/sources.js";

export interface LoadedPolicy {
  readonly policy: Policy;
  /** Its rules as they were written. */
  readonly written: readonly SurfaceRule[];
  readonly source: SourceFile;
  /** The policy's file and all that it imports, by name. */
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The policy of a file (`geo`: the operator's tables), or undefined after its errors were printed to stderr. Warnings are not printed:
 * `tidegate check` is the command that reports.
 */
export function loadPolicy(file: string, { geo }: { readonly geo?: string } = {}): LoadedPolicy | undefined {
  const geography = geo === undefined ? undefined : readGeography(geo);
  const { policy, written, source, sources, diagnostics } = analyze(
    file,
    readSource(file),
    projectModules(),
    geography,
  );
  if (policy) return { policy, written, source, sources, diagnostics };
  printErrors(diagnostics, sources.values());
  return undefined;
}

/** Errors on stderr, for commands that need the result and cannot go on. */
export function printErrors(diagnostics: readonly Diagnostic[], sources: Iterable<SourceFile>): void {
  const known = sourcesOf(sources);
  const errors = diagnostics.filter((d) => d.severity === "error");
  for (const error of errors) console.error(`${renderPretty(error, known)}\n`);
  console.error(renderCounts(errors));
}
