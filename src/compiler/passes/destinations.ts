import type { Filter, SetItem } from "../../dsl/filter/ast.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type Family, prefixRange } from "../ir/address.js";
import { type Intervals, intersection, type Range } from "../ir/intervals.js";
import type { OwnedPrefix } from "../ir/policy.js";
import { describeValue } from "../ir/value.js";
import { type Comparison, comparisons } from "./filters.js";
import type { Lists } from "./lists.js";
import { addressesOf } from "./operands.js";
import { ownPrefixes } from "./routes.js";

/** Reports comparisons of `ip.dst` with what is no destination here: dispatch brings only packets to own prefixes. */
export function checkDestinations(
  filter: Filter,
  prefixes: readonly OwnedPrefix[],
  lists: Lists,
  diagnostics: Diagnostics,
): void {
  if (prefixes.length === 0) return;
  const hint = ownPrefixes(prefixes);
  for (const comparison of comparisons(filter)) {
    if (comparison.field.name !== "ip.dst") continue;
    const strangers = outsiders(comparison, prefixes, lists);
    if (strangers === "all") {
      diagnostics.report("TG2019", comparison.span, { value: describeValues(comparison) }, { hint });
    } else {
      for (const item of strangers) {
        diagnostics.report("TG3006", item.span, { member: describeItem(item) }, { hint });
      }
    }
  }
}

/** The members of a comparison that lie outside `prefixes`, or "all": then it never holds. */
function outsiders(
  comparison: Comparison,
  prefixes: readonly OwnedPrefix[],
  lists: Lists,
): "all" | readonly SetItem[] {
  switch (comparison.kind) {
    case "inList": {
      const list = lists.get(comparison.list);
      return !list || isOwn(4, list[4], prefixes) || isOwn(6, list[6], prefixes) ? [] : "all";
    }
    case "compare":
      return comparison.op !== "eq" || isOwnItem(comparison.value, prefixes) ? [] : "all";
    case "in": {
      const strangers = comparison.items.filter((item) => !isOwnItem(item, prefixes));
      return strangers.length === comparison.items.length ? "all" : strangers;
    }
    case "bits":
    case "text":
    case "flag":
      return [];
  }
}

function isOwnItem(item: SetItem, prefixes: readonly OwnedPrefix[]): boolean {
  const low = addressesOf(item.kind === "range" ? item.low : item);
  const high = addressesOf(item.kind === "range" ? item.high : item);
  return !low || !high || isOwn(low.family, [{ low: low.range.low, high: high.range.high }], prefixes);
}

/** Whether some of the addresses are the customer's. */
function isOwn(family: Family, addresses: Intervals, prefixes: readonly OwnedPrefix[]): boolean {
  return prefixes.some(({ prefix }) => {
    const own: Range = prefixRange(prefix);
    return prefix.family === family && intersection(addresses, [own]).length > 0;
  });
}

function describeValues(comparison: Comparison): string {
  if (comparison.kind === "compare") return describeItem(comparison.value);
  return comparison.kind === "inList" ? "in this list" : "in this set";
}

function describeItem(item: SetItem): string {
  return item.kind === "range"
    ? `the range from ${describeValue(item.low)} to ${describeValue(item.high)}`
    : describeValue(item);
}
