import { existsSync } from "node:fs";
import type { Manifest } from "../src/targets/manifest.js";
import { namespaceFile } from "./command.js";
import { failure } from "./failures.js";
import type { Host } from "./host.js";
import { findLink } from "./netlink/link.js";
import type { Family } from "./netlink/network.js";
import { tableRoutes } from "./netlink/route.js";
import { NFT_TABLE, ROUTING_TABLE } from "./node/constants.js";
import { isTableThere } from "./node/marking.js";
import { isKnown } from "./notes.js";
import type { NodeState } from "./state.js";

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
  if (!(await isKnown(host.paths, manifest.customer))) await refuseOfCustomer(host, manifest);
}

async function refuseOnNode(host: Host): Promise<void> {
  if (await isTableThere(host)) {
    throw failure("TG9013", { thing: `nft table ${NFT_TABLE}` }, `look: nft list table ${NFT_TABLE}`);
  }
  for (const family of FAMILIES) {
    if ((await tableRoutes(host, family, ROUTING_TABLE)).length === 0) continue;
    const thing = `IPv${family} routing table ${ROUTING_TABLE}`;
    throw failure("TG9013", { thing }, `look: ip -${family} route show table ${ROUTING_TABLE}`);
  }
}

async function refuseOfCustomer(host: Host, { namespace, link, tunnels }: Manifest): Promise<void> {
  if (existsSync(namespaceFile(namespace)))
    throw failure("TG9013", { thing: `network namespace ${namespace}` }, `look: ip -n ${namespace} addr`);
  for (const device of [link, ...tunnels.map(({ peer }) => peer)])
    if (await findLink(host, device))
      throw failure("TG9013", { thing: `device ${device}` }, `look: ip -d link show ${device}`);
}
