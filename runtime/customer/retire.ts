import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { type Bundle, storedBundle } from "../bundle.js";
import { namespaceFile } from "../command.js";
import { keepEarlier } from "../earlier.js";
import type { GreDriver } from "../gre/driver.js";
import { forgetUnasked } from "../health/lives.js";
import type { Host } from "../host.js";
import {
  type LoadedCustomer,
  type Paths,
  recordCustomer,
  recordOf,
  storedGenerations,
  storedManifest,
} from "../state.js";
import { type Part, takeDown } from "../steps.js";
import { earlierCounters } from "./counting.js";
import { settle } from "./ending.js";
import { judgeBy } from "./firewall.js";
import { tunnelParts } from "./parts.js";
import { clearPlace, unloadProgram } from "./program.js";
import { emptyTable, tableOf } from "./routes.js";
import { sameEndpoint } from "./tunnels.js";

/** A customer's generation in force, and how its node does tunnels. */
export interface InForce {
  readonly host: Host;
  readonly node: NodeConfig;
  readonly gre: GreDriver;
  readonly loaded: LoadedCustomer;
  /** Its bundle, with the files; undefined where the stored one is damaged: that is drift, which others mend. */
  readonly bundle: Bundle | undefined;
}

/**
 * Removes all generations but the one in force: to them no packet comes any more. What their programs have counted is
 * noted before it goes with them.
 */
export async function retireOthers(inForce: InForce): Promise<void> {
  const { host, loaded, bundle } = inForce;
  const { customer, generation, manifest } = loaded;
  const others = (await storedGenerations(host.paths, customer)).filter((one) => one !== generation);
  if (others.length === 0) return;
  await settle(host.paths.customer(customer), generation);
  // A namespace that is gone is drift, too.
  const stands = existsSync(namespaceFile(manifest.namespace));
  if (bundle && stands) await judgeBy(host, [{ bundle, generation }]);
  await takeDown(await strayTunnels(inForce, others), () => {});
  // The places of all others are one, as generations take turns.
  const opposite = { ...loaded, generation: generation + 1 };
  if (stands) await emptyTable(host, manifest.namespace, tableOf(opposite.generation));
  await clearPlace(host, opposite);
  await forgetUnasked(host.paths, manifest);
  const counted = await earlierCounters(host, loaded, manifest);
  await recordCustomer(host.paths, { ...recordOf(loaded), counted });
  for (const other of others) {
    await unloadProgram(host, { customer, generation: other });
    if (await isEarlier(host.paths, loaded, other)) await keepEarlier(host.paths, customer, other);
    else await rm(host.paths.bundle(customer, other), { recursive: true, force: true });
  }
}

/** Was it in force before, and another policy? Going back to the same is no way back. */
async function isEarlier(paths: Paths, loaded: LoadedCustomer, generation: number): Promise<boolean> {
  if (generation > loaded.generation) return false;
  const manifest = await storedManifest(paths, loaded.customer, generation);
  return manifest !== undefined && JSON.stringify(manifest) !== JSON.stringify(loaded.manifest);
}

/**
 * Tunnels of other generations that the one in force does not use, neither their device nor their remote and key: what was
 * in the way of a new one went before it came (customer/tunnels.ts).
 */
async function strayTunnels(
  { host, node, gre, loaded }: InForce,
  others: readonly number[],
): Promise<readonly Part[]> {
  const { tunnels } = loaded.manifest;
  const bundles = await Promise.all(
    others.map((other) => generationBundle(host.paths, loaded.customer, other)),
  );
  return bundles.flatMap((bundle) => {
    if (!bundle) return [];
    const stray = bundle.manifest.tunnels.filter(
      (row) => !tunnels.some(({ device }) => device === row.device) && !tunnels.some(sameEndpoint(row)),
    );
    const names = new Set(stray.map(({ name }) => name));
    return [...tunnelParts(gre, bundle, node)].filter(([name]) => names.has(name)).map(([, part]) => part);
  });
}

/** What a stored generation says of itself, to take it down by; undefined where it was not even copied whole. */
export async function generationBundle(
  paths: Paths,
  customer: string,
  generation: number,
): Promise<Bundle | undefined> {
  const manifest = await storedManifest(paths, customer, generation);
  return manifest && storedBundle(paths, { customer, generation, hash: "", manifest });
}
