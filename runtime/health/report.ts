import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { Manifest } from "../../src/targets/manifest.js";
import type { Paths } from "../state.js";
import { askedBy, type Lives, lifeOf } from "./lives.js";

const probesSchema = z.strictObject({
  /** Probes whose fate is known; since when is the daemon's start, or the tunnel's. */
  sent: z.int().nonnegative(),
  lost: z.int().nonnegative(),
  /** ISO 8601, UTC; null: none yet. */
  lastAnswer: z.string().nullable(),
  /** Milliseconds from the last answered probe to its answer; null: none yet. */
  rtt: z.number().nullable(),
  /** Why nothing can be sent; null: nothing is in the way. */
  trouble: z.string().nullable(),
});
/** How the probes of one tunnel fare. */
export type Probes = z.infer<typeof probesSchema>;

const reportSchema = z.strictObject({
  at: z.string(),
  /** By customer, then by tunnel. */
  customers: z.record(z.string(), z.record(z.string(), probesSchema)),
});
export type Report = z.infer<typeof reportSchema>;

/** Whoever asks writes this often; a report that is much older is that of somebody who has ended. */
export const REPORT_MS = 2000;
const STALE_MS = 5 * REPORT_MS;

/** Not synced: the next one comes soon, and after a loss of power nobody wants to know. */
export async function writeReport(paths: Paths, customers: Report["customers"]): Promise<void> {
  const fresh = `${paths.probes()}.new`;
  await writeFile(fresh, JSON.stringify({ at: new Date().toISOString(), customers }));
  await rename(fresh, paths.probes());
}

/** What is going on now; undefined where nobody asks. */
export async function readReport(paths: Paths): Promise<Report | undefined> {
  try {
    const report = reportSchema.parse(JSON.parse(await readFile(paths.probes(), "utf8")));
    return Date.now() - Date.parse(report.at) < STALE_MS ? report : undefined;
  } catch {
    return undefined;
  }
}

/** What `status` says of a tunnel's router. */
export interface TunnelHealth {
  /** `unknown`, which counts as live, until enough probes in a row have said otherwise. */
  readonly life: "unknown" | "live" | "dead";
  /** Since when; null where it is not known. */
  readonly since: string | null;
  /** Null: nobody asks at present, and it stays as it is. */
  readonly probes: Probes | null;
}

/** Null: it is not to be asked. */
export function healthOf(
  { customer }: Pick<Manifest, "customer">,
  row: Manifest["tunnels"][number],
  lives: Lives,
  report: Report | undefined,
): TunnelHealth | null {
  if (askedBy(row) === null) return null;
  const { life = "unknown", since = null } = lifeOf(row, lives) ?? {};
  return { life, since, probes: report?.customers[customer]?.[row.name] ?? null };
}
