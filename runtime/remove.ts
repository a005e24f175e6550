import { rm } from "node:fs/promises";
import { storedBundle } from "./bundle.js";
import { prefixesOf, removeDispatch } from "./customer/dispatch.js";
import { customerParts, tunnelParts } from "./customer/parts.js";
import { clearSlot, stampBy } from "./customer/program.js";
import { recover } from "./customer/recover.js";
import { failure } from "./failures.js";
import { greDriver } from "./gre/choose.js";
import { type Host, withHost } from "./host.js";
import { markingTable, markPrefixes } from "./node/marking.js";
import { tearDownNode } from "./node/setup.js";
import {
  DEFAULT_STATE_DIR,
  forgetCustomer,
  forgetNode,
  type LoadedCustomer,
  type NodeState,
  readCustomers,
  readNodeState,
} from "./state.js";
import { type OnStep, takeDown } from "./steps.js";

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
    const customers = await readCustomers(host.paths);
    const node = await readNodeState(host.paths);
    await recover(host, node, customers);
    const loaded = customers.find((one) => one.customer === customer);
    if (!loaded || !node) {
      const known = customers.map((one) => one.customer).join(", ");
      throw failure("TG9010", { customer }, `loaded are: ${known || "none"}`);
    }
    const others = customers.filter((one) => one !== loaded);
    const last = others.length === 0;
    await removeCustomer(host, node, loaded, others, onStep);
    if (last) await tearDownNode(host, node, onStep);
    // The records go last, so that a removal that fails can be repeated.
    await forgetCustomer(host.paths, customer);
    if (last) await forgetNode(host.paths);
    return { customer, last };
  });
}

/** What leads packets here goes first. */
async function removeCustomer(
  host: Host,
  { config, gre }: NodeState,
  loaded: LoadedCustomer,
  others: readonly LoadedCustomer[],
  onStep: OnStep,
): Promise<void> {
  const { customer, manifest, slot } = loaded;
  const bundle = storedBundle(host.paths, loaded);
  onStep("release prefixes");
  if (await markingTable(host).present()) {
    await markPrefixes(
      host,
      others.flatMap((other) => prefixesOf(other.manifest)),
    );
  }
  await removeDispatch(host, prefixesOf(manifest));
  onStep("remove the XDP program");
  await stampBy(host, slot, null);
  await clearSlot(host, slot);
  await rm(host.paths.bpf("customers", customer), { recursive: true, force: true });
  const tunnels = tunnelParts(greDriver(host, gre), bundle, config).values();
  await takeDown([...customerParts(host, bundle, config), ...tunnels], onStep);
}
