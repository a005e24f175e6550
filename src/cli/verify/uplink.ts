import { execFileSync } from "node:child_process";
import { uplinkRow } from "../../../runtime/customer/fast-path.js";
import type { MapEntry } from "../../../runtime/loader-client.js";
import type { Probe } from "../../../runtime/probe-client.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";

/** Of the frames that are run, the destination: what frameOf() writes. */
const ADDRESS = "02:00:00:00:00:02";

/** The device behind which every tunnel's far end is, and its next hop: what sentFrame() writes. */
const WAY_OUT = { device: "out", mac: "02:00:00:00:00:03", nextHop: "02:00:00:00:00:04" } as const;

const NEXT_HOP = "169.254.84.9";

/** Test runs come in by the loopback device, which is the first of a namespace. */
const LOOPBACK = 1;

/** Larger than any packet of ours: what is too long is so for the tunnel. */
const MTU = 65_535;

/**
 * Gives the probe's network namespace, which nftOpen() made, an uplink and a way to all tunnels, so that packets can be sent on
 * from XDP. Test runs redirect nothing, so nothing leaves. Once; the rows are for the root program's map `uplinks`.
 */
export function openUplink(probe: Probe): readonly MapEntry[] {
  const { device, mac, nextHop } = WAY_OUT;
  const commands = [
    `link add ${device} mtu ${MTU} address ${mac} type veth peer name far mtu ${MTU}`,
    `link set far up`,
    `link set ${device} up`,
    `neighbour replace ${NEXT_HOP} lladdr ${nextHop} nud permanent dev ${device}`,
    // More specific than the default route that is there.
    `route replace 0.0.0.0/1 via ${NEXT_HOP} dev ${device} onlink`,
    `route replace 128.0.0.0/1 via ${NEXT_HOP} dev ${device} onlink`,
  ];
  execFileSync("nsenter", inside(probe, "-batch", "-"), { input: commands.join("\n") });
  const shown = execFileSync("nsenter", inside(probe, "-j", "link", "show", "dev", device));
  const [{ ifindex }] = JSON.parse(shown.toString()) as [{ ifindex: number }];
  return [uplinkRow(LOOPBACK, ADDRESS, true), uplinkRow(ifindex, mac, true)];
}

/**
 * From now on what goes to that prefix of IPv4 leaves by the uplink that test runs come in by, as on a server that has but one; its
 * own Ethernet address is zeros.
 */
export function turnRound(probe: Probe, prefix: string): void {
  const commands = [
    `neighbour replace ${NEXT_HOP} lladdr ${WAY_OUT.nextHop} nud permanent dev lo`,
    `route replace ${prefix} via ${NEXT_HOP} dev lo onlink`,
  ];
  execFileSync("nsenter", inside(probe, "-batch", "-"), { input: commands.join("\n") });
}

/** ip(8) in the probe's network namespace. */
function inside({ pid }: Probe, ...words: readonly string[]): readonly string[] {
  invariant(pid, "the probe runs");
  return ["--target", `${pid}`, "--net", "ip", ...words];
}
