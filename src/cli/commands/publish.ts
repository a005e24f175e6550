import pc from "picocolors";
import { publishBundle, publishRemoval } from "../../../runtime/store/bundles.js";
import type { Head } from "../../../runtime/store/store.js";
import { EXIT, UsageError } from "../exit.js";
import { storeOf } from "../io/store.js";

interface PublishOptions {
  readonly store: string;
  /** A customer that is to be taken off every node. */
  readonly remove?: string;
  readonly json?: boolean;
}

/** `tidegate publish`: what every node that watches the store is to run of a customer. */
export async function publish(bundle: string | undefined, options: PublishOptions): Promise<number> {
  const store = storeOf(options.store);
  const head = await (bundle !== undefined && options.remove === undefined
    ? publishBundle(store, bundle)
    : publishRemoval(store, customerOf(bundle, options)));
  console.log(options.json ? JSON.stringify(head) : summary(head, store.name));
  return EXIT.ok;
}

function customerOf(bundle: string | undefined, { remove }: PublishOptions): string {
  if (bundle === undefined && remove !== undefined) return remove;
  throw new UsageError("name either a bundle's directory, or with --remove a customer");
}

function summary({ customer, revision, content }: Head, store: string): string {
  const what = content.kind === "removed" ? "to be removed" : `${Object.keys(content.files).length} files`;
  return `${pc.green("ok")} ${customer} revision ${revision} in ${store}: ${what}`;
}
