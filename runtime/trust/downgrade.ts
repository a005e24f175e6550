import type { NodeConfig } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";

/** Throws TG5024 where a node that had keys is to have none: it would take anything from now on. */
export function refuseDowngrade(before: NodeConfig | undefined, node: NodeConfig): void {
  if (!before?.keys || node.keys) return;
  const names = Object.keys(before.keys).sort().join(", ");
  throw failure(
    "TG5024",
    {},
    `trusted were: ${names}; is it the right edge.ts? else remove all customers first`,
  );
}
