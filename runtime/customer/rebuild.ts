import { statSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, readBundle } from "../bundle.js";
import type { Host } from "../host.js";
import { rootMap } from "../node/root-program.js";
import { lpmKey } from "../prefix.js";
import { type CustomerRecord, holdsOf, MANIFEST_FILE, storedGenerations } from "../state.js";
import { prefixesOf } from "./dispatch.js";
import { programInForce } from "./program.js";

/**
 * What a customer's record said of which both copies are damaged: its stored bundle, if that is whole, and the kernel say the same,
 * but for what programs before the last have counted. Undefined where the kernel does not judge by a stored bundle.
 */
export async function rebuiltRecord(host: Host, customer: string): Promise<CustomerRecord | undefined> {
  for (const generation of await storedGenerations(host.paths, customer)) {
    const bundle = await readBundle(host.paths.bundle(customer, generation)).catch(() => undefined);
    const slot = bundle?.manifest.customer === customer ? await slotOf(host, bundle) : undefined;
    if (!bundle || slot === undefined) continue;
    const since = statSync(join(bundle.dir, MANIFEST_FILE)).mtime.toISOString();
    const record = { customer, generation, hash: bundle.hash, slot, since, holds: holdsOf(bundle.manifest) };
    if (await programInForce(host, record)) return record;
  }
  return undefined;
}

/** Where the root program sends packets to the bundle's first prefix. */
async function slotOf({ loader, paths }: Host, { manifest }: Bundle): Promise<number | undefined> {
  const [prefix] = prefixesOf(manifest);
  if (!prefix) return undefined;
  const [value] = await loader.lookupMap(rootMap(paths, `customers_${prefix.family}`), [lpmKey(prefix)]);
  return value?.[0]?.readUInt32LE();
}
