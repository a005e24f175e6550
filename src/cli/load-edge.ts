import { analyzeEdge } from "../compiler/compile.js";
import type { NodeConfig } from "../targets/manifest.js";
import { nodeConfig } from "../targets/node.js";
import { projectModules } from "./io/project.js";
import { readSource } from "./io/read-source.js";
import { printErrors } from "./load-policy.js";

/** The node configuration of an edge.ts, or undefined after its errors were printed. */
export function loadEdge(file: string): NodeConfig | undefined {
  const { edge, diagnostics, sources } = analyzeEdge(file, readSource(file), projectModules());
  if (edge) return nodeConfig(edge);
  printErrors(diagnostics, sources.values());
  return undefined;
}
