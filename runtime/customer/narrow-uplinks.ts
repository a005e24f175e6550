import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import type { TunnelRow } from "../gre/driver.js";
import type { Host } from "../host.js";
import { type Link, linkAt } from "../netlink/link.js";
import { wayTo } from "../netlink/route.js";
import { familyOf } from "../prefix.js";
import { type RuntimeWarning, warning } from "../warnings.js";
import { outerSource } from "./change.js";

const IP_HEADER = { 4: 20, 6: 40 } as const;
/** RFC 2784, and a key of RFC 2890. */
const GRE_HEADER = 4;
const GRE_KEY = 4;
/** What a tunnel's `mtu` has to be at least, by what it carries (src/compiler/passes/tunnels.ts). */
const LEAST_MTU = { 4: 68, 6: 1280 } as const;

/** By what a tunnel's packets leave: the device, and what the route says that it carries, if anything. */
interface Way {
  readonly device: Link;
  readonly routed: number | undefined;
}

/**
 * Says which tunnels are to carry more than fits into the device, or the route, by which the node's routing sends their packets now. Once the node
 * has its anycast addresses: packets from one that it has not have no way. The bundle is in force by then, so a question that fails
 * leaves a warning out, no more.
 */
export async function narrowUplinks(
  host: Pick<Host, "loader">,
  { manifest }: Bundle,
  node: NodeConfig,
): Promise<readonly RuntimeWarning[]> {
  const { tunnels } = manifest;
  const ways = new Map<string, Promise<Way | undefined>>();
  for (const { remote } of tunnels) {
    if (ways.has(remote)) continue;
    const way = leavesBy(host, remote, outerSource(node, remote));
    ways.set(
      remote,
      way.catch(() => undefined),
    );
  }
  const warnings = tunnels.map(async (row) => tooNarrow(manifest, row, await ways.get(row.remote)));
  return (await Promise.all(warnings)).flatMap((one) => one ?? []);
}

async function leavesBy(
  host: Pick<Host, "loader">,
  remote: string,
  from: string | undefined,
): Promise<Way | undefined> {
  const way = await wayTo(host, remote, from);
  const device = way && (await linkAt(host, way.device));
  return device && { device, routed: way.mtu };
}

function tooNarrow(manifest: Manifest, row: TunnelRow, way: Way | undefined): RuntimeWarning | undefined {
  if (!way) return undefined;
  const { device } = way;
  // A route's own counts in the place of this (ip6_mtu of the kernel), but none in that of the device's.
  const own = familyOf(row.remote) === 6 ? device.mtu6 : device.mtu;
  const { routed = own } = way;
  const outer = outerBytes(row);
  const needed = row.mtu + outer;
  const carries = Math.min(device.mtu, routed);
  if (needed <= carries) return undefined;
  const fitting = carries - outer;
  const rather = fitting < leastMtu(manifest, row) ? "" : `, or say \`mtu: ${fitting}\` for the tunnel`;
  const hint = `raise ${narrowOf(way, needed, routed).join(" and ")} to ${needed}${rather}`;
  const by = way.routed !== undefined && routed < device.mtu ? `the route to ${row.remote} by ` : "";
  const params = { tunnel: row.name, needed: `${needed}`, way: `${by}\`${device.name}\``, mtu: `${carries}` };
  return warning("TG9022", params, hint);
}

function narrowOf({ device, routed: said }: Way, needed: number, routed: number): readonly string[] {
  const route = needed > routed && said !== undefined ? ["the route's `mtu`"] : [];
  // Who sets it sets that of IPv6, too (addrconf_notify).
  if (needed > device.mtu) return [...route, `the MTU of \`${device.name}\``];
  // With slashes, as dots would cut the name of a VLAN's device in two (sysctl(8)).
  return needed > routed && said === undefined ? [`\`net/ipv6/conf/${device.name}/mtu\``] : route;
}

/** Also the kernel's device for both families in IPv4 carries no less than IPv6 needs. */
function leastMtu({ prefixes }: Manifest, { kind, remote }: TunnelRow): number {
  const carriesIpv6 = prefixes.some((prefix) => familyOf(prefix) === 6);
  return LEAST_MTU[carriesIpv6 || (kind === "ipip" && familyOf(remote) === 4) ? 6 : 4];
}

/** What is put before each packet. */
function outerBytes({ kind, remote, key }: TunnelRow): number {
  const gre = kind === "gre" ? GRE_HEADER + (key === null ? 0 : GRE_KEY) : 0;
  return IP_HEADER[familyOf(remote)] + gre;
}
