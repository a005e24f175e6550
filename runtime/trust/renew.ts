import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle } from "../bundle.js";
import { replaceDurably } from "../durable.js";
import type { CustomerRecord, Paths } from "../state.js";
import type { Steps } from "../steps.js";
import { SIGNATURE_FILE, serialOf } from "./release.js";
import type { Serials } from "./serials.js";

/**
 * What is in force was signed again. Its new serial counts, so that what was released in between is old from now on; and the
 * node's copy gets the signature, without which a key could not be replaced: the copy is judged by the keys of the day.
 */
export async function renewRelease(
  paths: Paths,
  { customer, generation }: Pick<CustomerRecord, "customer" | "generation">,
  bundle: Bundle,
  serials: Serials,
  steps: Steps,
): Promise<void> {
  const signature = bundle.contents.get(SIGNATURE_FILE);
  if (!bundle.release || !signature) return;
  await serials.remember(bundle, steps);
  const file = join(paths.bundle(customer, generation), SIGNATURE_FILE);
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(signature) || serialIn(before) > bundle.release.serial) return;
  await steps.run(
    "keep the signature",
    () => replaceDurably(file, signature),
    () => (before ? replaceDurably(file, before) : rm(file, { force: true })),
  );
}

/** Less than any, where there is none that can be read. */
function serialIn(signature: Buffer | undefined): number {
  try {
    return signature ? serialOf(signature.toString()) : -1;
  } catch {
    return -1;
  }
}
