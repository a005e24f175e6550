import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import { invariant } from "../compiler/diagnostics/invariant.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { readUncalled } from "./evaluate/functions.js";
import { readModuleText } from "./evaluate/load.js";
import { Reading } from "./evaluate/reading.js";
import { describe, type Value } from "./evaluate/value.js";
import { type ModuleHost, NO_MODULES } from "./modules.js";
import type { Made, SurfaceEdge, SurfacePolicy } from "./surface.js";

/** What a file is for: a customer's policy, or the operator's edge. */
export type ModuleKind = "policy" | "edge";

/** What a module exports by default. */
export type ModuleContent =
  | { readonly kind: "policy"; readonly policy: SurfacePolicy }
  | { readonly kind: "edge"; readonly edge: SurfaceEdge }
  /** It could not be read, or is of another kind than wanted; that is reported. */
  | { readonly kind: "unread" };

export interface ReadModule {
  readonly content: ModuleContent;
  readonly made: Made;
  /** The module and all that it imports, by file name. */
  readonly sources: ReadonlyMap<string, SourceFile>;
}

/**
 * Reads a module with its imports, without running it. `wanted` is what it must export by default; with "any" that
 * decides what it is. Reports everything that is wrong with its text (TG1xxx) and its shapes (TG2050 to TG2069).
 */
export function readModule(
  wanted: ModuleKind | "any",
  source: SourceFile,
  diagnostics: Diagnostics,
  modules: ModuleHost = NO_MODULES,
): ReadModule {
  const reading = new Reading(diagnostics, modules);
  const exports = reading.open(source.file, null, () => readModuleText(source, reading));
  readUncalled(reading);
  const content = exports
    ? contentOf(exports.get("default"), wanted, source, diagnostics)
    : ({ kind: "unread" } as const);
  invariant(content.kind !== "unread" || diagnostics.hasErrors, "what could not be read is reported");
  return { content, made: reading.made, sources: reading.sources };
}

function contentOf(
  value: Value | undefined,
  wanted: ModuleKind | "any",
  source: SourceFile,
  diagnostics: Diagnostics,
): ModuleContent {
  if (!value) {
    const one = wanted === "any" ? "policy" : wanted;
    const hint = `end the file with \`export default ${one}({…})\``;
    diagnostics.report("TG1050", source.span(0, 0), { wanted: one }, { hint });
  } else if (value.kind === "policy" && wanted !== "edge") return { kind: "policy", policy: value.policy };
  else if (value.kind === "edge" && wanted !== "policy") return { kind: "edge", edge: value.edge };
  else if (value.kind !== "error") {
    const hint = exportHint(value.kind, wanted === "edge" ? "edge" : "policy");
    const params = { wanted: wanted === "edge" ? "an edge" : "a policy", found: describe(value) };
    diagnostics.report("TG1052", value.via ?? value.span, params, { hint });
  }
  return { kind: "unread" };
}

function exportHint(found: Value["kind"], wanted: ModuleKind): string | undefined {
  switch (found) {
    case "edge":
      return "this is the operator's file; give the policy of a customer here";
    case "policy":
      return "this is a customer's policy; give the operator's file here";
    case "object":
      return `write \`export default ${wanted}({…})\``;
    default:
      return undefined;
  }
}
