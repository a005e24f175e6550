import { readBundle } from "./bundle.js";
import { missingDispatch } from "./customer/dispatch.js";
import { firewallPresent } from "./customer/firewall.js";
import { customerParts, tunnelParts } from "./customer/parts.js";
import { programInForce } from "./customer/program.js";
import { tableInForce } from "./customer/routes.js";
import { greDriver } from "./gre/choose.js";
import type { Host } from "./host.js";
import { nodeParts } from "./node/parts.js";
import type { LoadedCustomer, NodeState } from "./state.js";
import { missingParts } from "./steps.js";

/** What the node itself should have, by the record, and has not. */
export function nodeDrift(host: Host, { config, gre }: NodeState): Promise<readonly string[]> {
  return missingParts(nodeParts(host, config, greDriver(host, gre)));
}

/** What a customer should have, by the record, and has not. */
export async function customerDrift(
  host: Host,
  { config, gre }: NodeState,
  loaded: LoadedCustomer,
): Promise<readonly string[]> {
  const { customer, generation, manifest, slot } = loaded;
  const bundle = await readBundle(host.paths.bundle(customer, generation));
  const places = await missingParts(customerParts(host, bundle, config));
  // Without its namespace and link nothing else can be asked for.
  if (places.length > 0) return places;
  const parts = [
    ...tunnelParts(greDriver(host, gre), bundle, config).values(),
    { name: "firewall", present: () => firewallPresent(host, manifest.namespace) },
    { name: "routing table", present: () => tableInForce(manifest.namespace, generation) },
    { name: "XDP program", present: () => programInForce(host, loaded) },
  ];
  return [...(await missingParts(parts)), ...(await missingDispatch(host, manifest, slot))];
}
