import type { Bundle } from "../bundle.js";
import { type ClosedRoute, liveLines, replacements } from "../health/live-lines.js";
import type { Host } from "../host.js";
import { readReplacing, readRoute } from "../netlink/lines.js";
import { inside } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { deleteRoute, leadsTo, tableRoutes } from "../netlink/route.js";
import { tableLines, tableOf } from "./routes.js";

/**
 * Makes the table of the generation in force what it is with these devices' tunnels dead. What leads into live tunnels stands
 * before anything goes; each group changes in one step, and flows of tunnels that stay in it stay there. Gives what is closed from then on.
 */
export async function routeAround(
  host: Host,
  bundle: Bundle,
  generation: number,
  dead: ReadonlySet<string>,
): Promise<readonly ClosedRoute[]> {
  const { namespace, tunnels, noLiveTunnel } = bundle.manifest;
  const network = inside(host, namespace);
  const table = tableOf(generation);
  const lines = await tableLines(bundle, table);
  const asked = new Set(tunnels.filter(({ health }) => health).map(({ device }) => device));
  const live = liveLines(lines, dead, noLiveTunnel);
  const present = (
    await Promise.all(([4, 6] as const).map((family) => tableRoutes(network, family, table)))
  ).flat();
  const gone = live.left.map(readRoute).filter(({ to, metric }) => {
    return present.some((route) => route.metric === metric && leadsTo(route, to));
  });
  await perform(network, [
    ...readReplacing(replacements(lines, live, dead, asked)),
    ...gone.map(({ to, metric }) => deleteRoute(to, table, metric)),
  ]);
  return live.closed;
}
