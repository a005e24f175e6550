import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { readModule } from "./read-module.js";
import type { SurfaceEdge } from "./surface.js";

/** Reads the operator's `edge.ts` without running it; reports as `readPolicy` does. */
export function readEdge(source: SourceFile, diagnostics: Diagnostics): SurfaceEdge | undefined {
  return readModule("edge", source, diagnostics)?.edge;
}
