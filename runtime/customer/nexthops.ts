import { findLink } from "../netlink/link.js";
import type { Network } from "../netlink/network.js";
import { deleteNexthop, nexthops } from "../netlink/nexthop.js";
import { perform } from "../netlink/perform.js";

/**
 * Are all nexthops there, and the groups as they were made? `lines` are all that make them. A device that goes takes its
 * nexthop out of every group.
 */
export async function nexthopsInForce(network: Network, lines: readonly string[]): Promise<boolean> {
  const wanted = lines.filter((line) => line.startsWith("nexthop "));
  if (wanted.length === 0) return true;
  const present = new Map((await nexthops(network)).map((one) => [one.id, one]));
  for (const line of wanted) {
    const [, , , id, kind, value = ""] = line.split(" ");
    const found = present.get(Number(id));
    if (!found) return false;
    if (kind === "dev" && (await findLink(network, value))?.index !== found.device) return false;
    const members = found.members?.map((member) => `${member.id},${member.weight}`).join("/");
    if (kind === "group" && members !== value) return false;
  }
  return true;
}

/** Groups first: a nexthop that leaves one makes the kernel wait for everybody who may be looking (synchronize_net). */
export async function deleteNexthops(network: Network, table: number): Promise<void> {
  const own = (await nexthops(network)).filter(({ id }) => Math.floor(id / IDS_OF_TABLE) === table);
  const groupsFirst = [...own].sort((a, b) => Number(a.members === null) - Number(b.members === null));
  await perform(
    network,
    groupsFirst.map(({ id }) => deleteNexthop(id)),
  );
}

/** `$table000001` is the first nexthop of a table. */
const IDS_OF_TABLE = 1_000_000;
