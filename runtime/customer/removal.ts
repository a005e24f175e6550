import { storedBundle } from "../bundle.js";
import { greDriver } from "../gre/choose.js";
import type { Host } from "../host.js";
import { markingTable, markPrefixes } from "../node/marking.js";
import { tearDownNode } from "../node/setup.js";
import { forgetCustomer, forgetNode, type LoadedCustomer, type NodeState } from "../state.js";
import { type OnStep, takeDown } from "../steps.js";
import { prefixesOf, removeDispatch } from "./dispatch.js";
import { customerParts, tunnelParts } from "./parts.js";
import { clearSlot, stampBy, unloadPrograms } from "./program.js";

/** A customer that goes, and those that stay. */
export interface Removal {
  readonly host: Host;
  readonly node: NodeState;
  readonly loaded: LoadedCustomer;
  readonly others: readonly LoadedCustomer[];
  readonly onStep: OnStep;
}

/** Takes all of a customer away; with the last one also what the node was given for all. Every step can be repeated. */
export async function removeWhole(removal: Removal): Promise<void> {
  const { host, node, loaded, others, onStep } = removal;
  await removeCustomer(removal);
  if (others.length === 0) await tearDownNode(host, node, onStep);
  // The records go last, so that a removal that fails can be repeated.
  await forgetCustomer(host.paths, loaded.customer);
  if (others.length === 0) await forgetNode(host.paths);
}

/** What leads packets here goes first. */
async function removeCustomer({ host, node, loaded, others, onStep }: Removal): Promise<void> {
  const { customer, manifest, slot } = loaded;
  const { config, gre } = node;
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
  await unloadPrograms(host, customer);
  const tunnels = tunnelParts(greDriver(host, gre), bundle, config).values();
  await takeDown([...customerParts(host, bundle, config), ...tunnels], onStep);
}
