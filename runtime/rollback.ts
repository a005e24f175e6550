import { type Applied, type ApplyOptions, apply } from "./apply.js";
import { allEnded } from "./customer/ending.js";
import { earlierBundle } from "./earlier.js";
import { failure } from "./failures.js";
import { explained, requireRoot } from "./host.js";
import { recoverNode } from "./restart.js";
import { DEFAULT_STATE_DIR, Paths, readNodeState, recordedNames } from "./state.js";

export interface RollbackOptions extends Pick<ApplyOptions, "stateDir" | "memoryDir" | "onStep"> {
  readonly customer: string;
}

/**
 * Puts the customer's policy in force that was in force before; a second time, the one that it was rolled back from. On a
 * node with keys its signature counts as ever, and that it is older does not.
 */
export async function rollback({ customer, ...options }: RollbackOptions): Promise<Applied> {
  requireRoot();
  // What was in force before is kept when the last change ends.
  await allEnded();
  await recoverNode(options);
  const paths = new Paths(options.stateDir ?? DEFAULT_STATE_DIR);
  const state = await explained(readNodeState(paths));
  const loaded = (await explained(recordedNames(paths))).includes(customer);
  if (!state || !loaded) throw failure("TG9010", { customer }, "see `tidegate status`");
  const bundle = await earlierBundle(paths, customer);
  if (bundle === undefined)
    throw failure("TG9105", { customer }, "apply an older bundle: tidegate apply DIR --edge edge.ts");
  return apply({ ...options, bundle, node: state.config, rollback: true });
}
