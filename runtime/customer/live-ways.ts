import type { Host } from "../host.js";
import type { LoadedCustomer } from "../state.js";
import { turnTunnels } from "./fast-path.js";

/**
 * Around a turn of the routes: of the program in force, what leads into tunnels that are dead by then is closed before, and what leads
 * into live ones is opened behind. So the program sends only where the routes lead before and after, and all else goes by them.
 * `dead`: devices of dead tunnels.
 */
export async function betweenWays<T>(
  { loader, paths }: Host,
  { customer, generation, manifest }: LoadedCustomer,
  dead: ReadonlySet<string>,
  turnRoutes: () => Promise<T>,
): Promise<T> {
  const { tunnels, sentWhileLive } = manifest;
  const pins = paths.pins(customer, generation);
  if (sentWhileLive) await turnTunnels(loader, pins, tunnels, "close", ({ device }) => dead.has(device));
  const turned = await turnRoutes();
  if (sentWhileLive) await turnTunnels(loader, pins, tunnels, "open", ({ device }) => !dead.has(device));
  return turned;
}
