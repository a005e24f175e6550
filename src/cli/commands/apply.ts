import pc from "picocolors";
import { type Applied, apply } from "../../../runtime/apply.js";
import { analyzeEdge } from "../../compiler/compile.js";
import type { NodeConfig } from "../../targets/manifest.js";
import { nodeConfig } from "../../targets/node.js";
import { EXIT } from "../exit.js";
import { projectModules } from "../io/project.js";
import { readSource } from "../io/read-source.js";
import { printErrors } from "../load-policy.js";
import { stepPrinter } from "../render/steps.js";

interface ApplyOptions {
  readonly edge: string;
  readonly stateDir: string;
  readonly memoryDir: string;
  readonly rollback?: boolean;
  readonly json?: boolean;
}

/** `tidegate apply`: puts a bundle in force on this edge server, or leaves everything as it was. */
export async function applyBundle(bundle: string, options: ApplyOptions): Promise<number> {
  const node = loadNode(options.edge);
  if (!node) return EXIT.failed;
  const steps = stepPrinter(options.json ?? false);
  const { stateDir, memoryDir, rollback = false } = options;
  const applied = await apply({ bundle, node, stateDir, memoryDir, rollback, onStep: steps.step });
  steps.end();
  if (!options.json && !node.keys) console.error(pc.dim(UNSIGNED));
  console.log(options.json ? JSON.stringify(applied) : summary(applied));
  return EXIT.ok;
}

const UNSIGNED =
  "note: unsigned bundles are taken here; `keys` in edge.ts says whom to trust (docs/security.md)";

/** The node configuration of an edge.ts, or undefined after its errors were printed. */
function loadNode(file: string): NodeConfig | undefined {
  const { edge, diagnostics, sources } = analyzeEdge(file, readSource(file), projectModules());
  if (edge) return nodeConfig(edge);
  printErrors(diagnostics, sources.values());
  return undefined;
}

function summary({ customer, changed, generation, hash, drift }: Applied): string {
  const which = `${customer} generation ${generation} ${pc.dim(hash.slice(0, 12))}`;
  if (!changed) return `${pc.green("ok")} ${which}: nothing to change`;
  const mended = drift.length === 0 ? "" : `; mended: ${drift.join(", ")}`;
  return `${pc.green("ok")} ${which}: in force${mended}`;
}
