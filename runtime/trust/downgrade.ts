import type { NodeConfig } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";

/**
 * Throws TG5024 where a node that has keys is to have none: it would take anything from now on. What outlives a reboot is
 * asked by `Serials.refuseUnsigned`.
 */
export function refuseDowngrade(before: NodeConfig | undefined, node: NodeConfig): void {
  if (!before?.keys || node.keys) return;
  const names = Object.keys(before.keys).sort().join(", ");
  throw failure(
    "TG5024",
    {},
    `trusted were: ${names}; is it the right edge.ts? else remove all customers first`,
  );
}
