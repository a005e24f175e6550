import type { NodeConfig } from "../../src/targets/manifest.js";
import { hopProgram } from "../customer/hops.js";
import { failure } from "../failures.js";
import type { GreDriver } from "../gre/driver.js";
import type { Host } from "../host.js";
import { links } from "../ip.js";
import type { Part } from "../steps.js";
import { anycastAddress } from "./anycast.js";
import { packetsApart } from "./apart.js";
import { bpfMount } from "./bpf-mount.js";
import { requireUnseenBridges } from "./bridges.js";
import { markingTable } from "./marking.js";
import { policyRouting } from "./policy-routing.js";
import { rootProgram, rootProgramOn } from "./root-program.js";
import { forwardingParts, requireLooseFiltering } from "./sysctls.js";

/** What must hold on a node that Tidegate itself does not change. */
export async function requireNode(node: NodeConfig): Promise<void> {
  const devices = await links();
  const present = devices.map(({ ifname }) => ifname);
  const missing = node.uplinks.find((uplink) => !present.includes(uplink));
  if (missing !== undefined) {
    throw failure(
      "TG9004",
      { device: missing },
      `devices here are: ${present.filter((n) => n !== "lo").join(", ")}`,
    );
  }
  await requireLooseFiltering(node);
  await requireUnseenBridges(devices.filter(({ ifname }) => node.uplinks.includes(ifname)));
}

/** Everything that a node has once, whatever its customers, in the order in which it is made. */
export function nodeParts(host: Host, node: NodeConfig, gre: GreDriver): readonly Part[] {
  return [
    ...forwardingParts(),
    bpfMount(host.paths),
    rootProgram(host),
    hopProgram(host),
    ...node.anycast.map(anycastAddress),
    policyRouting(4),
    policyRouting(6),
    markingTable(host),
    ...gre.nodeParts(node.uplinks),
    ...node.uplinks.flatMap((uplink) => [rootProgramOn(host, uplink), packetsApart(host, uplink)]),
  ];
}
