import { causeOf, failure, type RuntimeFailure } from "../failures.js";
import type { Host } from "../host.js";
import type { LoadedCustomer } from "../state.js";
import { tunnelsWhileLive, turnTunnels } from "./fast-path.js";

/** The routes have turned. */
export interface Turned<T> {
  readonly turned: T;
  /** Why XDP does not know of it; null: it does, or need not. */
  readonly deaf: RuntimeFailure | null;
}

/**
 * Around a turn of the routes: of the program in force, what leads into tunnels that are dead by then is closed before, and what leads
 * into live ones is opened behind. So the program sends only where the routes lead before and after, and all else goes by them. Where
 * nothing can be closed the routes turn all the same: then what XDP does not send is saved. `dead`: devices of dead tunnels.
 */
export async function betweenWays<T>(
  { loader, paths }: Host,
  { customer, generation, manifest }: LoadedCustomer,
  dead: ReadonlySet<string>,
  turnRoutes: () => Promise<T>,
): Promise<Turned<T>> {
  const { tunnels } = manifest;
  const own = new Set(tunnelsWhileLive(manifest).map(({ device }) => device));
  if (own.size === 0) return { turned: await turnRoutes(), deaf: null };
  const pins = paths.pins(customer, generation);
  const turn = (way: "close" | "open") =>
    turnTunnels(loader, pins, tunnels, way, ({ device }) => {
      return own.has(device) && dead.has(device) === (way === "close");
    }).then(
      () => null,
      (error: unknown) => failure("TG9025", { customer, cause: causeOf(error) }, null, error),
    );
  const notClosed = await turn("close");
  const turned = await turnRoutes();
  return { turned, deaf: notClosed ?? (await turn("open")) };
}
