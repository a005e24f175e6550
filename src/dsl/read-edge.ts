import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import type { ModuleHost } from "./modules.js";
import { readModule } from "./read-module.js";
import type { SurfaceEdge } from "./surface.js";

/** Reads the operator's `edge.ts` without running it; reports as `readPolicy` does. */
export function readEdge(
  source: SourceFile,
  diagnostics: Diagnostics,
  modules?: ModuleHost,
): SurfaceEdge | undefined {
  const { content } = readModule("edge", source, diagnostics, modules);
  return content.kind === "edge" ? content.edge : undefined;
}
