import { ipBatch, ipJson } from "../ip.js";

/** A nexthop as `ip -j nexthop` shows it: of one device, or a group of others. */
interface Nexthop {
  readonly id: number;
  readonly dev?: string;
  readonly group?: readonly { readonly id: number; readonly weight?: number }[];
}

/**
 * Are all nexthops there, and the groups as they were made? `lines` are all that make them. A device that goes takes its
 * nexthop out of every group.
 */
export async function nexthopsInForce(namespace: string, lines: readonly string[]): Promise<boolean> {
  const wanted = lines.filter((line) => line.startsWith("nexthop "));
  if (wanted.length === 0) return true;
  const present = new Set((await nexthops(namespace)).map(lineOf));
  return wanted.every((line) => present.has(line.split(" ").slice(0, 6).join(" ")));
}

/** Groups first: a nexthop that leaves one makes the kernel wait for everybody who may be looking (synchronize_net). */
export async function deleteNexthops(namespace: string, table: number): Promise<void> {
  const own = (await nexthops(namespace)).filter(({ id }) => Math.floor(id / IDS_OF_TABLE) === table);
  const groupsFirst = [...own].sort((a, b) => Number(a.group === undefined) - Number(b.group === undefined));
  if (own.length > 0)
    await ipBatch(
      groupsFirst.map(({ id }) => `nexthop del id ${id}`),
      { namespace },
    );
}

/** `$table000001` is the first nexthop of a table. */
const IDS_OF_TABLE = 1_000_000;

function nexthops(namespace: string): Promise<readonly Nexthop[]> {
  return ipJson<Nexthop>(["nexthop", "show"], { namespace });
}

/** The first six words of the line that makes it; a weight of 1 is not shown. */
function lineOf({ id, dev, group }: Nexthop): string {
  const members = group?.map((member) => `${member.id},${member.weight ?? 1}`).join("/");
  return `nexthop add id ${id} ${members === undefined ? `dev ${dev}` : `group ${members}`}`;
}
