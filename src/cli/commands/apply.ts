import pc from "picocolors";
import { apply } from "../../../runtime/apply.js";
import { loadEdge } from "../edge/load-edge.js";
import { EXIT } from "../exit.js";
import { renderApplied, renderWarnings, unsignedNote } from "../render/applied.js";
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
  const { stateDir, memoryDir, rollback = false, json = false } = options;
  const steps = stepPrinter(json);
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
  if (!json && !node.keys) console.error(unsignedNote(pc));
  for (const line of renderWarnings(applied, { json, colors: pc })) console.error(line);
  console.log(renderApplied(applied, { json, colors: pc }));
  await Promise.all([ending, edge.keep()]);
  return EXIT.ok;
}
