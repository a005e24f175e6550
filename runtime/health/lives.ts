import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Manifest } from "../../src/targets/manifest.js";
import { replaceDurably } from "../durable.js";
import type { Paths } from "../state.js";

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

/** Rejects where the customer is gone. */
export async function writeLives(paths: Paths, customer: string, lives: Lives): Promise<void> {
  await replaceDurably(paths.lives(customer), `${JSON.stringify(lives, null, 2)}\n`);
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

/** Devices of the tunnels of which the routers are dead. */
export async function deadDevices(
  paths: Paths,
  { customer, tunnels }: Manifest,
): Promise<ReadonlySet<string>> {
  const asked = tunnels.filter(({ health }) => health);
  if (asked.length === 0) return new Set();
  const lives = await readLives(paths, customer);
  return new Set(asked.filter((row) => lifeOf(row, lives)?.life === "dead").map(({ device }) => device));
}
