import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import type { ModuleHost } from "./modules.js";
import { readModule } from "./read-module.js";
import type { SurfacePolicy } from "./surface.js";

/**
 * Reads a policy module without running it. Reports everything that is wrong with its text (TG1xxx) and its
 * shapes (TG2050 to TG2069). What could not be read is left out of the result, and mistakes with one plain
 * meaning are repaired, so a policy can come back with errors reported: look for more, but emit nothing.
 */
export function readPolicy(
  source: SourceFile,
  diagnostics: Diagnostics,
  modules?: ModuleHost,
): SurfacePolicy | undefined {
  const { content } = readModule("policy", source, diagnostics, modules);
  return content.kind === "policy" ? content.policy : undefined;
}
