import type { Manifest } from "../../src/targets/manifest.js";
import { wholeBundle } from "../bundle.js";
import { type ClosedRoute, liveLines } from "../health/live-lines.js";
import { deadAmong, type Lives, lifeOf, readLives } from "../health/lives.js";
import type { LoadedCustomer, Paths } from "../state.js";
import { tableLines, tableOf } from "./routes.js";

/** A prefix to which packets are dropped, as no tunnel lives that routes to its addresses lead into. */
export interface Blackhole {
  readonly prefix: string;
  /** When one of them lives again it ends. */
  readonly tunnels: readonly string[];
  /** When the last of them was found dead: ISO 8601, UTC. */
  readonly since: string;
}

/** By what is known of the customer's routers. None where its bundle is damaged, which is drift: nobody knows its routes then. */
export async function blackholes(paths: Paths, loaded: LoadedCustomer): Promise<readonly Blackhole[]> {
  const { customer, generation, manifest } = loaded;
  const isAsked = manifest.tunnels.some(({ health }) => health);
  if (!isAsked || manifest.noLiveTunnel !== "blackhole") return [];
  const lives = await readLives(paths, customer);
  const dead = deadAmong(manifest, lives);
  if (dead.size === 0) return [];
  const bundle = await wholeBundle(paths, loaded);
  if (!bundle) return [];
  const lines = await tableLines(bundle, tableOf(generation));
  return blackholesOf(manifest, liveLines(lines, dead, manifest.noLiveTunnel).closed, lives);
}

/** What these closed routes of a customer mean. */
export function blackholesOf(
  { tunnels }: Pick<Manifest, "tunnels">,
  closed: readonly ClosedRoute[],
  lives: Lives,
): readonly Blackhole[] {
  // Routes of one prefix and several priorities are closed one by one.
  const byPrefix = new Map(closed.map(({ prefix, devices }) => [prefix.text, devices]));
  return [...byPrefix].map(([prefix, devices]) => {
    const rows = tunnels.filter(({ device }) => devices.includes(device));
    const found = rows.map((row) => lifeOf(row, lives)?.since ?? "");
    return { prefix, tunnels: rows.map(({ name }) => name), since: found.sort().at(-1) ?? "" };
  });
}
