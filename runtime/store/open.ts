import { resolve } from "node:path";
import { dirStore } from "./dir-store.js";
import type { Store } from "./store.js";

/** What may stand before the colon of `dir:/var/lib/tidegate`. */
export const STORE_KINDS = ["dir"] as const;

/** The store that `text` names; undefined if it names none. */
export function openStore(text: string): Store | undefined {
  const [, kind, place = ""] = /^([a-z]+):(.+)$/s.exec(text) ?? [];
  return kind === "dir" ? dirStore(resolve(place)) : undefined;
}
