import { sha256 } from "../../../runtime/hash.js";
import { analyzeEdge } from "../../compiler/compile.js";
import { nodeConfig } from "../../targets/node.js";
import { projectModules } from "../io/project.js";
import { readSource } from "../io/read-source.js";
import { printErrors } from "../load-policy.js";
import { buildHash, type EdgeImport, type EdgeReading, noting } from "./reading.js";

/** What an edge.ts says, or undefined after its errors were printed. */
export function readEdge(file: string): EdgeReading | undefined {
  const text = readSource(file);
  const imports: EdgeImport[] = [];
  const { edge, diagnostics, sources } = analyzeEdge(file, text, noting(projectModules(), imports));
  if (edge)
    return { build: buildHash() ?? "", file, sha256: sha256(text), imports, config: nodeConfig(edge) };
  printErrors(diagnostics, sources.values());
  return undefined;
}
