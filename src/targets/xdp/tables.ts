import { formatPrefix, rangeToPrefixes } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../manifest.js";
import { type ListMap, listMap, usedLists } from "./maps.js";

/** The manifest's `tables`: what the runtime fills the program's list maps with. */
export function tables(policy: Policy): Manifest["tables"] {
  return usedLists(policy).map((used) => ({
    map: listMap(used.list.name, used.family),
    kind: "lpm",
    family: used.family,
    entries: entries(used),
  }));
}

/** A list as the fewest prefixes, in address order. */
export function entries({ list, family }: ListMap): string[] {
  return list[family].flatMap((range) => rangeToPrefixes(family, range)).map(formatPrefix);
}
