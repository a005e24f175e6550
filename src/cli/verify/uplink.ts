import { execFileSync } from "node:child_process";
import { uplinkRow } from "../../../runtime/customer/fast-path.js";
import type { MapEntry } from "../../../runtime/loader-client.js";
import type { Probe } from "../../../runtime/probe-client.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";

/** Of the frames that are run, the destination: what frameOf() writes. */
const ADDRESS = "02:00:00:00:00:02";

/** The device behind which every tunnel's far end is, and its next hop: what sentFrame() writes. */
const WAY_OUT = { device: "out", mac: "02:00:00:00:00:03", nextHop: "02:00:00:00:00:04" } as const;

/** Test runs come in by the loopback device, which is the first of a namespace. */
const LOOPBACK = 1;

/** Larger than any packet of ours: what is too long is so for the tunnel. */
const MTU = 65_535;

/**
 * Gives the probe's network namespace, which nftOpen() made, an uplink and a way to all tunnels, so that packets can be sent on
 * from XDP. Test runs redirect nothing, so nothing leaves. Once; the rows are for the root program's map `uplinks`.
 */
export function openUplink(probe: Probe): readonly MapEntry[] {
  invariant(probe.pid, "the probe runs");
  const { device, mac, nextHop } = WAY_OUT;
  const commands = [
    `link add ${device} mtu ${MTU} address ${mac} type veth peer name far mtu ${MTU}`,
    `link set far up`,
    `link set ${device} up`,
    `neighbour replace 169.254.84.9 lladdr ${nextHop} nud permanent dev ${device}`,
    // More specific than the default route that is there.
    `route replace 0.0.0.0/1 via 169.254.84.9 dev ${device} onlink`,
    `route replace 128.0.0.0/1 via 169.254.84.9 dev ${device} onlink`,
  ];
  const inside = ["--target", `${probe.pid}`, "--net", "ip", "-batch", "-"];
  execFileSync("nsenter", inside, { input: commands.join("\n") });
  const shown = execFileSync("nsenter", [...inside.slice(0, 4), "-j", "link", "show", "dev", device]);
  const [{ ifindex }] = JSON.parse(shown.toString()) as [{ ifindex: number }];
  return [uplinkRow(LOOPBACK, ADDRESS), uplinkRow(ifindex, mac)];
}
