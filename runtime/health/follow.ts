import { isDeepStrictEqual } from "node:util";
import { requireWhole } from "../bundle.js";
import { type Blackhole, blackholesOf } from "../customer/blackholes.js";
import { routeAround } from "../customer/live-routes.js";
import { betweenWays } from "../customer/live-ways.js";
import type { RuntimeFailure } from "../failures.js";
import { withHost } from "../host.js";
import { type LoadedCustomer, type Paths, readCustomer } from "../state.js";
import type { Life } from "./liveness.js";
import { deadAmong, type Lives, livesAfter, readLives, writeLives } from "./lives.js";
import type { TunnelRow } from "./tunnel-prober.js";

export interface FollowOptions {
  readonly stateDir: string;
  readonly customer: string;
  /** What is thought of a tunnel's router now; undefined: nobody asks, and what was known before holds. */
  readonly lifeOf: (row: TunnelRow) => Life | undefined;
}

/** What a customer's packets go by from then on. */
export interface Followed {
  /** The prefixes that are black holes. */
  readonly closed: readonly Blackhole[];
  /** Why the fast path goes by what was known before, and this is to be tried again; null: it follows as well. */
  readonly deaf: RuntimeFailure | null;
}

/**
 * Has a customer's routing table and its fast path go by what is thought of its routers. Under the lock: whoever fills a table
 * meanwhile would go by what was known before. Can be repeated.
 */
export function followRouters({ stateDir, customer, lifeOf }: FollowOptions): Promise<Followed> {
  return withHost({ stateDir, lock: true }, async (host) => {
    const loaded = await readCustomer(host.paths, customer);
    if (!loaded) return { closed: [], deaf: null };
    // Where the bundle cannot be had the routes cannot follow, so what they go by stays as well.
    const bundle = await requireWhole(host.paths, loaded);
    const lives = await note(host.paths, loaded, lifeOf);
    const dead = deadAmong(loaded.manifest, lives);
    const turnRoutes = () => routeAround(host, bundle, loaded.generation, dead);
    const { turned, deaf } = await betweenWays(host, loaded, dead, turnRoutes);
    return { closed: blackholesOf(loaded.manifest, turned, lives), deaf };
  });
}

/** Written first: should this process end in between, the table is found not to be as it should be, and mended. */
async function note(
  paths: Paths,
  { customer, manifest }: LoadedCustomer,
  lifeNow: FollowOptions["lifeOf"],
): Promise<Lives> {
  const before = await readLives(paths, customer);
  const lives = livesAfter(manifest, before, lifeNow, new Date().toISOString());
  if (!isDeepStrictEqual(lives, before)) await writeLives(paths, customer, lives);
  return lives;
}
