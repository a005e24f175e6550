import { storedBundle, wholeBundle } from "./bundle.js";
import { missingDispatch, prefixesOf } from "./customer/dispatch.js";
import { firewallInForce } from "./customer/firewall.js";
import { customerParts, tunnelParts } from "./customer/parts.js";
import { fastPathInForce, programInForce } from "./customer/program.js";
import { unfinished } from "./customer/recover.js";
import { tableInForce } from "./customer/routes.js";
import { greDriver } from "./gre/choose.js";
import { isSettled } from "./health/settling.js";
import type { Host } from "./host.js";
import { marksPrefixes } from "./node/marked.js";
import { markingTable } from "./node/marking.js";
import { nodeParts } from "./node/parts.js";
import {
  isNodeStateWhole,
  isRecordWhole,
  type LoadedCustomer,
  type NodeState,
  readCustomers,
} from "./state.js";
import { missingParts, type Part } from "./steps.js";

/** What the node itself should have, by the record, and has not. */
export async function nodeDrift(host: Host, { config, gre, change }: NodeState): Promise<readonly string[]> {
  const record = { name: "record of the node", present: () => isNodeStateWhole(host.paths) };
  const settled = { name: "end of the change of the node", present: async () => change === undefined };
  const missing = await missingParts([record, settled, ...nodeParts(host, config, greDriver(host, gre))]);
  if (missing.includes(markingTable(host).name)) return missing;
  const customers = await readCustomers(host.paths);
  const prefixes = customers.flatMap(({ manifest }) => prefixesOf(manifest));
  return (await marksPrefixes(host, prefixes)) ? missing : [...missing, "marks of customers' prefixes"];
}

/** What a customer should have, by the record, and has not. */
export async function customerDrift(
  host: Host,
  { config, gre }: NodeState,
  loaded: LoadedCustomer,
): Promise<readonly string[]> {
  const { generation, manifest, slot } = loaded;
  const bundle = storedBundle(host.paths, loaded);
  const places = await missingParts(customerParts(host, bundle, config));
  // Without its namespace and link nothing else can be asked for.
  if (places.length > 0) return places;
  const whole = await wholeBundle(host.paths, loaded);
  const parts = [
    { name: "record", present: () => isRecordWhole(host.paths, manifest.customer) },
    { name: "stored bundle", present: async () => whole !== undefined },
    ...(await lastChange(host, loaded)),
    ...tunnelsMeant(tunnelParts(greDriver(host, gre), whole ?? bundle, config), whole !== undefined),
    { name: "firewall", present: () => firewallInForce(host, manifest, generation, whole) },
    {
      name: "routing table",
      present: () => tableInForce(host, manifest.namespace, generation, whole),
    },
    {
      name: "XDP program",
      present: async () =>
        (await programInForce(host, loaded)) &&
        (await isSettled(manifest, () => fastPathInForce(host, loaded, manifest, config))),
    },
  ];
  return [...(await missingParts(parts)), ...(await missingDispatch(host, manifest, slot))];
}

/** Without the bundle's files, which is drift of its own, nobody knows what more than there they should be. */
function tunnelsMeant(
  parts: ReadonlyMap<string, Part>,
  isKnown: boolean,
): readonly Pick<Part, "name" | "present">[] {
  return [...parts.values()].map((part) => ({
    name: part.name,
    present: async () => (await part.present()) && (!isKnown || (await part.asMeant?.()) !== false),
  }));
}

/** A run that was killed leaves a note of what it was about; until the next one ends it, old parts may be left, or new ones. */
async function lastChange(
  host: Host,
  { customer }: LoadedCustomer,
): Promise<readonly Pick<Part, "name" | "present">[]> {
  const own = await unfinished(host, customer);
  return own.map(({ name }) => ({ name, present: async () => false }));
}
