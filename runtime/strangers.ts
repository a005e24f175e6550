import { existsSync } from "node:fs";
import type { Manifest } from "../src/targets/manifest.js";
import { namespaceFile } from "./command.js";
import { failure } from "./failures.js";
import type { Host } from "./host.js";
import { type Family, links } from "./ip.js";
import { NFT_TABLE, ROUTING_TABLE } from "./node/constants.js";
import { markingTable } from "./node/marking.js";
import { tableRoutes } from "./node/policy-routing.js";
import { isKnown, type NodeState } from "./state.js";

const FAMILIES: readonly Family[] = [4, 6];

/**
 * Refuses (TG9013) what bears a name of ours though nothing says that we made it: it is somebody else's, and would be
 * replaced. A run that was killed is on record before it makes anything.
 */
export async function refuseStrangers(
  host: Host,
  before: NodeState | undefined,
  manifest: Manifest,
): Promise<void> {
  if (!before) await refuseOnNode(host);
  // What is made of a customer is noted before.
  if (!(await isKnown(host.paths, manifest.customer))) await refuseOfCustomer(manifest);
}

async function refuseOnNode(host: Host): Promise<void> {
  if (await markingTable(host).present()) {
    throw failure("TG9013", { thing: `nft table ${NFT_TABLE}` }, `look: nft list table ${NFT_TABLE}`);
  }
  for (const family of FAMILIES) {
    if ((await tableRoutes(family)).length === 0) continue;
    const thing = `IPv${family} routing table ${ROUTING_TABLE}`;
    throw failure("TG9013", { thing }, `look: ip -${family} route show table ${ROUTING_TABLE}`);
  }
}

async function refuseOfCustomer({ namespace, link, tunnels }: Manifest): Promise<void> {
  if (existsSync(namespaceFile(namespace)))
    throw failure("TG9013", { thing: `network namespace ${namespace}` }, `look: ip -n ${namespace} addr`);
  const wanted = new Set([link, ...tunnels.map(({ peer }) => peer)]);
  const found = (await links()).find(({ ifname }) => wanted.has(ifname));
  if (found)
    throw failure("TG9013", { thing: `device ${found.ifname}` }, `look: ip -d link show ${found.ifname}`);
}
