import pc from "picocolors";
import { type Applied, apply } from "../../../runtime/apply.js";
import { loadEdge } from "../edge/load-edge.js";
import { EXIT } from "../exit.js";
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
  const edge = await loadEdge(options.edge, options.stateDir);
  if (!edge) return EXIT.failed;
  const { node } = edge;
  const steps = stepPrinter(options.json ?? false);
  const { stateDir, memoryDir, rollback = false } = options;
  let ending: Promise<void> | undefined;
  const afterwards = (rest: Promise<void>) => {
    ending = rest;
  };
  const applied = await apply({
    bundle,
    node,
    stateDir,
    memoryDir,
    rollback,
    onStep: steps.step,
    afterwards,
  });
  steps.end();
  if (!options.json && !node.keys) console.error(pc.dim(UNSIGNED));
  console.log(options.json ? JSON.stringify(applied) : summary(applied));
  await Promise.all([ending, edge.keep()]);
  return EXIT.ok;
}

const UNSIGNED =
  "note: unsigned bundles are taken here; `keys` in edge.ts says whom to trust (docs/security.md)";

function summary({ customer, changed, generation, hash, drift }: Applied): string {
  const which = `${customer} generation ${generation} ${pc.dim(hash.slice(0, 12))}`;
  if (!changed) return `${pc.green("ok")} ${which}: nothing to change`;
  const mended = drift.length === 0 ? "" : `; mended: ${drift.join(", ")}`;
  return `${pc.green("ok")} ${which}: in force${mended}`;
}
