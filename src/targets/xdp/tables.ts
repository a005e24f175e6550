import { formatPrefix, rangeToPrefixes } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../manifest.js";
import { type Form, planOf } from "./classifier/plan.js";
import { type ListMap, limitMap, listMap, usedLists } from "./maps.js";

/** The manifest's `tables`: what the runtime fills the program's maps with. */
export function tables(policy: Policy, form?: Form): Manifest["tables"] {
  const plan = planOf(policy, form);
  if (plan) return [{ map: "data", kind: "data", file: dataFile(policy), bytes: plan.image.size }];
  return usedLists(policy).map((used) => ({
    map: listMap(used.list.name, used.family),
    kind: "lpm",
    family: used.family,
    entries: entries(used),
  }));
}

/** The manifest's `limits`. A table of allowances is of another shape than the one allowance of all packets. */
export function limitMaps(policy: Policy, form?: Form): Manifest["limits"] {
  const byKey = planOf(policy, form) !== null;
  return policy.mitigate.flatMap(({ name, action }) => {
    if (action.kind !== "limit") return [];
    const { interval, burst, per } = action.limit;
    const shape = per === null && byKey ? "all, by key" : (per ?? "all");
    return { map: limitMap(name), terms: `${interval} ns, burst ${burst}, per ${shape}` };
  });
}

/** The data of the policy's program, the one table that lies in a file of its own; null: it has none. */
export function dataOf(policy: Policy, form?: Form): Uint8Array | null {
  return planOf(policy, form)?.image.bytes() ?? null;
}

export function dataFile({ customer }: Policy): string {
  return `xdp/${customer}.data`;
}

/** A list as the fewest prefixes, in address order. */
export function entries({ list, family }: ListMap): string[] {
  return list[family].flatMap((range) => rangeToPrefixes(family, range)).map(formatPrefix);
}
