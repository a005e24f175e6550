import type { NodeConfig } from "../../src/targets/manifest.js";
import { hopProgram } from "../customer/hops.js";
import { failure } from "../failures.js";
import type { GreDriver, StandingTunnel } from "../gre/driver.js";
import type { Host } from "../host.js";
import { findLink, linkNames } from "../netlink/link.js";
import type { Prefix } from "../prefix.js";
import type { Part } from "../steps.js";
import { anycastAddress } from "./anycast.js";
import { packetsApart } from "./apart.js";
import { bpfMount } from "./bpf-mount.js";
import { requireUnseenBridge } from "./bridges.js";
import { markingTable } from "./marking.js";
import { policyRouting } from "./policy-routing.js";
import { rootProgram, rootProgramOn } from "./root-program.js";
import { forwardingParts, requireLooseFiltering } from "./sysctls.js";
import { uplinkKnown } from "./uplinks.js";

/** What must hold on a node that Tidegate itself does not change. */
export async function requireNode(host: Host, node: NodeConfig): Promise<void> {
  for (const device of node.uplinks) {
    const link = await findLink(host, device);
    if (link) await requireUnseenBridge(link);
    else throw await missingUplink(host, device);
  }
  await requireLooseFiltering(node);
}

async function missingUplink(host: Host, device: string): Promise<Error> {
  const present = (await linkNames(host)).filter((name) => name !== "lo");
  return failure("TG9004", { device }, `devices here are: ${present.join(", ")}`);
}

/** What stands for customers. */
export interface Customers {
  /** The prefixes that are marked as theirs. */
  readonly marked: readonly Prefix[];
  readonly standing: readonly StandingTunnel[];
}

const NO_CUSTOMERS: Customers = { marked: [], standing: [] };

/**
 * Everything that a node has once, whatever its customers, in the order in which it is made. The last argument: what
 * customers that are loaded need of what is made anew.
 */
export function nodeParts(
  host: Host,
  node: NodeConfig,
  gre: GreDriver,
  { marked, standing }: Customers = NO_CUSTOMERS,
): readonly Part[] {
  return [
    ...forwardingParts(),
    bpfMount(host.paths),
    rootProgram(host),
    hopProgram(host),
    ...node.anycast.map((address) => anycastAddress(host, address)),
    policyRouting(host, 4),
    policyRouting(host, 6),
    markingTable(host, marked),
    ...gre.nodeParts(node, standing),
    ...node.uplinks.flatMap((uplink) => [rootProgramOn(host, uplink), packetsApart(host, uplink)]),
    // Whether one may be known hangs on all.
    ...node.uplinks.map((uplink) => uplinkKnown(host, uplink, node.uplinks)),
  ];
}
