import type { Bundle } from "../bundle.js";
import type { TunnelRow } from "../gre/driver.js";
import type { Host } from "../host.js";
import { type Link, linkAt } from "../netlink/link.js";
import { wayTo } from "../netlink/route.js";
import { familyOf } from "../prefix.js";
import { type RuntimeWarning, warning } from "../warnings.js";

const IP_HEADER = { 4: 20, 6: 40 } as const;
/** RFC 2784, and a key of RFC 2890. */
const GRE_HEADER = 4;
const GRE_KEY = 4;

/**
 * Says which tunnels are to carry more than fits into the device by which the node's routing sends their packets now. Nobody cuts up
 * what is too long for that: the senders are told, and those that do not listen lose packets.
 */
export async function narrowUplinks(
  host: Pick<Host, "loader">,
  { manifest: { tunnels } }: Bundle,
): Promise<readonly RuntimeWarning[]> {
  const ways = new Map<string, Promise<Link | undefined>>();
  for (const { remote } of tunnels) if (!ways.has(remote)) ways.set(remote, leavesBy(host, remote));
  const warnings = tunnels.map(async (row) => tooNarrow(row, await ways.get(row.remote)));
  return (await Promise.all(warnings)).flatMap((one) => one ?? []);
}

async function leavesBy(host: Pick<Host, "loader">, remote: string): Promise<Link | undefined> {
  const index = await wayTo(host, remote);
  return index === undefined ? undefined : linkAt(host, index);
}

function tooNarrow(row: TunnelRow, device: Link | undefined): RuntimeWarning | undefined {
  const outer = outerBytes(row);
  const needed = row.mtu + outer;
  if (!device || needed <= device.mtu) return undefined;
  const hint = `raise the MTU of \`${device.name}\` to ${needed}, or say \`mtu: ${device.mtu - outer}\` for the tunnel`;
  const params = { tunnel: row.name, needed: `${needed}`, device: device.name, mtu: `${device.mtu}` };
  return warning("TG9022", params, hint);
}

/** What is put before each packet. */
function outerBytes({ kind, remote, key }: TunnelRow): number {
  const gre = kind === "gre" ? GRE_HEADER + (key === null ? 0 : GRE_KEY) : 0;
  return IP_HEADER[familyOf(remote)] + gre;
}
