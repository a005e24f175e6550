import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readBundle } from "../bundle.js";
import { failure } from "../failures.js";
import { BUNDLE_LIMITS, tooLarge } from "../trust/files.js";
import type { Files, Head, Store } from "./store.js";

/** Puts the bundle in `folder` into the store, as its customer's new head. Throws TG50xx for what is not a whole bundle. */
export async function publishBundle(store: Store, folder: string): Promise<Head> {
  const { manifest, contents } = await readBundle(folder);
  const after = await revisionOf(store, manifest.customer);
  const files: Record<string, string> = {};
  // What was verified, whatever has become of the folder since.
  for (const [file, bytes] of [...contents].sort(([a], [b]) => (a < b ? -1 : 1)))
    files[file] = await store.putBlob(bytes);
  return store.publish(manifest.customer, { kind: "bundle", files }, after);
}

/** Says that the customer is to be taken off every node. */
export async function publishRemoval(store: Store, customer: string): Promise<Head> {
  const after = await revisionOf(store, customer);
  if (after === 0) {
    const known = [...(await store.heads()).keys()].join(", ");
    throw failure("TG9107", { customer, store: store.name }, `it holds: ${known || "nobody"}`);
  }
  return store.publish(customer, { kind: "removed" }, after);
}

/**
 * Writes the files of a revision to `folder`, which is replaced. Every byte is what the head promises, and together
 * they are a bundle of this customer; whether this node may load it is for `apply` to say.
 */
export async function fetchBundle(
  store: Store,
  {
    customer,
    revision,
    files,
  }: { readonly customer: string; readonly revision: number; readonly files: Files },
  folder: string,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  let left: number = BUNDLE_LIMITS.bundle;
  for (const [file, hash] of Object.entries(files)) {
    const bytes = await store.blob(hash);
    if (!bytes) {
      const params = { file, customer, revision: `${revision}`, store: store.name };
      throw failure(
        "TG9103",
        params,
        "copy the store again, blobs before heads; or publish the bundle again",
      );
    }
    left -= bytes.length;
    // What a node keeps meanwhile lies in its memory: /run.
    if (left < 0) throw tooLarge(`it has more than ${BUNDLE_LIMITS.bundle} bytes`);
    await mkdir(dirname(join(folder, file)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, file), bytes);
  }
  // Who may write the head of one customer must not publish for another.
  const { manifest } = await readBundle(folder);
  if (manifest.customer === customer) return;
  const problem = `its bundle is \`${manifest.customer}\`'s`;
  throw failure("TG9102", { customer, revision: `${revision}`, problem }, "publish the bundle again");
}

async function revisionOf(store: Store, customer: string): Promise<number> {
  return (await store.heads()).get(customer) ?? 0;
}
