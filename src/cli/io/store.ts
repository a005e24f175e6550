import { openStore, STORE_KINDS } from "../../../runtime/store/open.js";
import type { Store } from "../../../runtime/store/store.js";
import { UsageError } from "../exit.js";

/** The store that `--store` names. */
export function storeOf(text: string): Store {
  const store = openStore(text);
  if (store) return store;
  const kinds = STORE_KINDS.map((kind) => `${kind}:PATH`).join(", ");
  throw new UsageError(`\`${text}\` names no store; write ${kinds}`);
}
