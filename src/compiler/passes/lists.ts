import type { SurfaceList, SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Family } from "../ir/address.js";
import { intervals } from "../ir/intervals.js";
import type { AddressList } from "../ir/policy.js";
import { readMember } from "./addresses.js";
import { allRules, comparisons } from "./filters.js";
import { NAME_MAX, safeName } from "./names.js";
import { type Member, noteRedundant } from "./redundancy.js";

/** Each list that a rule uses; undefined: it has mistakes, which are reported. */
export type Lists = ReadonlyMap<SurfaceList, AddressList | undefined>;

/**
 * Reads the lists that rules use, in the order of their first use; `places` are read already. A list that no rule uses has no effect.
 */
export function readLists(
  surface: SurfacePolicy,
  places: ReadonlyMap<SurfaceList, AddressList>,
  diagnostics: Diagnostics,
): Lists {
  const lists = new Map<SurfaceList, AddressList | undefined>();
  const taken = new Set<string>();
  for (const comparison of allRules(surface).flatMap((rule) => comparisons(rule.match))) {
    if (comparison.kind !== "inList" || lists.has(comparison.list)) continue;
    const name = uniqueName(comparison.list.name, taken);
    taken.add(name);
    const place = places.get(comparison.list);
    lists.set(comparison.list, place ? { ...place, name } : readList(name, comparison.list, diagnostics));
  }
  return lists;
}

function readList(name: string, list: SurfaceList, diagnostics: Diagnostics): AddressList | undefined {
  if (list.items.length === 0) {
    diagnostics.report("TG2008", list.span, { what: "the list" });
    return undefined;
  }
  const members = list.items.flatMap((item): readonly Member[] => {
    const member = readMember(item, diagnostics);
    return member ? [{ space: member.family, range: member.range, text: item.value, span: item.span }] : [];
  });
  if (members.length < list.items.length) return undefined;
  noteRedundant(members, diagnostics);
  const ranges = (family: Family) =>
    intervals(members.flatMap(({ space, range }) => (space === family ? range : [])));
  return { name, span: list.span, 4: ranges(4), 6: ranges(6) };
}

/** Constants may be named as TypeScript likes, and two lists alike: `badGuys` becomes `bad-guys`, `bad-guys-2`. */
function uniqueName(written: string, taken: ReadonlySet<string>): string {
  const base = safeName(written) ?? "list";
  let name = base;
  for (let count = 2; taken.has(name); count++) {
    const suffix = `-${count}`;
    name = base.slice(0, NAME_MAX - suffix.length) + suffix;
  }
  return name;
}
