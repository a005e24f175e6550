import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { readModule } from "./read-module.js";
import type { SurfacePolicy } from "./surface.js";

/**
 * Reads a policy module without running it. Reports everything that is wrong with its text (TG1xxx) and its
 * shapes (TG2050 to TG2099). What could not be read is left out of the result, and mistakes with one plain
 * meaning are repaired, so a policy can come back with errors reported: look for more, but emit nothing.
 */
export function readPolicy(source: SourceFile, diagnostics: Diagnostics): SurfacePolicy | undefined {
  return readModule("policy", source, diagnostics)?.policy;
}
