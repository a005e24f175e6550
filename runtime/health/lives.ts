import { readFile, rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Manifest } from "../../src/targets/manifest.js";
import { replaceAlone } from "../durable.js";
import type { Paths } from "../state.js";
import type { Life } from "./liveness.js";

type TunnelRow = Manifest["tunnels"][number];

const livesSchema = z.record(
  z.string(),
  z.strictObject({
    /** Who was asked: a tunnel of the same name to somebody else is not known yet. */
    asked: z.string(),
    life: z.enum(["live", "dead"]),
    /** ISO 8601, UTC. */
    since: z.string(),
  }),
);

/**
 * What this node has found out about a customer's routers, by tunnel. Whoever fills or looks at a routing table goes by it
 * (customer/routes.ts), and a daemon that starts anew goes on with it.
 */
export type Lives = z.infer<typeof livesSchema>;

/** What cannot be read is not known, which counts as live. */
export async function readLives(paths: Paths, customer: string): Promise<Lives> {
  try {
    return livesSchema.parse(JSON.parse(await readFile(paths.lives(customer), "utf8")));
  } catch {
    return {};
  }
}

/** Under the lock. Rejects where the customer is gone. */
export async function writeLives(paths: Paths, customer: string, lives: Lives): Promise<void> {
  await replaceAlone(paths.lives(customer), `${JSON.stringify(lives, null, 2)}\n`);
}

/** Who is asked by this tunnel's probes, and by which way; null: nobody. */
export function askedBy({ kind, remote, key, health }: TunnelRow): string | null {
  return health ? [kind, remote, key, health.style, health.target].join(" ") : null;
}

/** What is known of a tunnel's router. */
export function lifeOf(row: TunnelRow, lives: Lives): Lives[string] | undefined {
  const known = lives[row.name];
  return known && known.asked === askedBy(row) ? known : undefined;
}

/**
 * What is known from now on (ISO 8601, UTC) by what is thought of each router; undefined: nobody asks just now, and what was known
 * before holds.
 */
export function livesAfter(
  { tunnels }: Pick<Manifest, "tunnels">,
  before: Lives,
  lifeNow: (row: TunnelRow) => Life | undefined,
  now: string,
): Lives {
  const known = tunnels.flatMap((row) => {
    const asked = askedBy(row);
    const last = lifeOf(row, before);
    const life = lifeNow(row) ?? last?.life ?? "unknown";
    if (asked === null || life === "unknown") return [];
    return [[row.name, { asked, life, since: last?.life === life ? last.since : now }] as const];
  });
  return Object.fromEntries(known);
}

/** Under the lock: what is known of tunnels that nobody asks about any more would be old when somebody asks again. */
export async function forgetUnasked(
  paths: Paths,
  { customer, tunnels }: Pick<Manifest, "customer" | "tunnels">,
): Promise<void> {
  const before = await readLives(paths, customer);
  const asked = tunnels.flatMap((row) => {
    const known = lifeOf(row, before);
    return known ? [[row.name, known] as const] : [];
  });
  const lives = Object.fromEntries(asked);
  if (asked.length === 0) await rm(paths.lives(customer), { recursive: true, force: true });
  else if (!isDeepStrictEqual(lives, before)) await writeLives(paths, customer, lives);
}

/** Devices of the tunnels of which the routers are dead. */
export async function deadDevices(paths: Paths, manifest: Manifest): Promise<ReadonlySet<string>> {
  if (!manifest.tunnels.some(({ health }) => health)) return new Set();
  return deadAmong(manifest, await readLives(paths, manifest.customer));
}

/** Devices of the tunnels that are dead by these lives. */
export function deadAmong({ tunnels }: Pick<Manifest, "tunnels">, lives: Lives): ReadonlySet<string> {
  const dead = tunnels.filter((row) => lifeOf(row, lives)?.life === "dead");
  return new Set(dead.map(({ device }) => device));
}
