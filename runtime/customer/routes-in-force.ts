import type { LiveLines } from "../health/live-lines.js";
import { readRoute } from "../netlink/lines.js";
import { findLink } from "../netlink/link.js";
import type { Network } from "../netlink/network.js";
import { type KernelRoute, leadsTo, type Route, tableRoutes } from "../netlink/route.js";

/** Is each route of a table there, and leads where it should, and none of those that do not count? */
export async function routesInForce(
  network: Network,
  table: number,
  { table: holding, left }: LiveLines,
): Promise<boolean> {
  const families = await Promise.all(([4, 6] as const).map((family) => tableRoutes(network, family, table)));
  const present = families.flat();
  const find = ({ to, metric = 0 }: Route) =>
    present.find((route) => route.metric === metric && leadsTo(route, to));
  if (left.some((line) => find(readRoute(line)))) return false;
  const indexes = new Map<string, Promise<number | undefined>>();
  const indexOf = (device: string) => {
    const known = indexes.get(device) ?? findLink(network, device).then((link) => link?.index);
    indexes.set(device, known);
    return known;
  };
  for (const line of holding.filter((one) => one.startsWith("route "))) {
    const wanted = readRoute(line);
    const found = find(wanted);
    if (!found || !(await goesBy(found, wanted.by, indexOf))) return false;
  }
  return true;
}

async function goesBy(
  found: KernelRoute,
  by: Route["by"],
  indexOf: (device: string) => Promise<number | undefined>,
): Promise<boolean> {
  if (by === "blackhole") return found.isBlackhole;
  if (found.isBlackhole) return false;
  if ("nexthop" in by) return found.nexthop === by.nexthop;
  return found.nexthop === 0 && found.device === (await indexOf(by.device));
}
