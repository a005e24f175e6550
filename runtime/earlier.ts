import { rename, rm } from "node:fs/promises";
import { entriesOf, type Paths } from "./state.js";

/**
 * Keeps the bundle of a generation that has been replaced, for `rollback`, and lets go of the one that was kept before. One
 * rename(2), so that a process that is killed has kept one of the two.
 */
export async function keepEarlier(paths: Paths, customer: string, generation: number): Promise<void> {
  const kept = paths.earlier(customer, generation);
  await rm(kept, { recursive: true, force: true });
  await rename(paths.bundle(customer, generation), kept);
  for (const other of await earlierGenerations(paths, customer))
    if (other !== generation) await rm(paths.earlier(customer, other), { recursive: true, force: true });
}

/** The folder of the bundle that was in force before; undefined if there was none. */
export async function earlierBundle(paths: Paths, customer: string): Promise<string | undefined> {
  const generations = await earlierGenerations(paths, customer);
  return generations.length === 0 ? undefined : paths.earlier(customer, Math.max(...generations));
}

async function earlierGenerations(paths: Paths, customer: string): Promise<readonly number[]> {
  const entries = await entriesOf(paths.customer(customer));
  return entries.flatMap((entry) => /^earlier-(\d+)$/.exec(entry)?.[1] ?? []).map(Number);
}
