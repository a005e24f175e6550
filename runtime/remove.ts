import { recover } from "./customer/recover.js";
import { removeWhole } from "./customer/removal.js";
import { failure } from "./failures.js";
import { withHost } from "./host.js";
import { readIntents, writeIntent } from "./notes.js";
import { DEFAULT_STATE_DIR, readCustomers, readNodeState } from "./state.js";
import type { OnStep } from "./steps.js";

export interface RemoveOptions {
  readonly customer: string;
  readonly stateDir?: string;
  readonly onStep?: OnStep;
}

export interface Removed {
  readonly customer: string;
  /** True: it was the last customer, and the node is as it was before the first. */
  readonly last: boolean;
}

/** Takes all of a customer away; with the last one also what the node was given for all. Can be repeated. */
export function remove(options: RemoveOptions): Promise<Removed> {
  const { customer, stateDir = DEFAULT_STATE_DIR, onStep = () => {} } = options;
  return withHost({ stateDir, lock: true }, async (host) => {
    const intents = await readIntents(host.paths);
    const isOther = (other: string) => other !== customer;
    await recover(host, await readNodeState(host.paths), await readCustomers(host.paths), isOther);
    const customers = await readCustomers(host.paths);
    const node = await readNodeState(host.paths);
    const loaded = customers.find((one) => one.customer === customer);
    // A removal that was begun before has been finished just now.
    if (!loaded && intents.some((intent) => intent.customer === customer && intent.removal))
      return { customer, last: customers.length === 0 };
    if (!loaded || !node) {
      const known = customers.map((one) => one.customer).join(", ");
      throw failure("TG9010", { customer }, `loaded are: ${known || "none"}`);
    }
    const others = customers.filter((one) => one !== loaded);
    await writeIntent(host.paths, { ...loaded, removal: true });
    await removeWhole({ host, node, loaded, others, onStep });
    return { customer, last: others.length === 0 };
  });
}
