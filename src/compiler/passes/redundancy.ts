import type { Filter, Operand, SetItem } from "../../dsl/filter/ast.js";
import { compare } from "../diagnostics/compare.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Spanned } from "../diagnostics/span.js";
import type { Family } from "../ir/address.js";
import type { Range } from "../ir/intervals.js";
import { printValue } from "../ir/value.js";
import { comparisons } from "./filters.js";
import { addressesOf, fieldOf, numberOf } from "./operands.js";

/** A member of a set, as it was written. Members of different spaces never meet: IPv4, IPv6, and 0 for numbers. */
export interface Member extends Spanned {
  readonly space: Family | 0;
  readonly range: Range;
  readonly text: string;
}

/** A list of thousands may be a copy of somebody's table; its author reads a few examples. */
const MAX_NOTES = 10;

/** Notes the members of the sets in a filter, which the type checker has accepted, that others cover. */
export function noteRedundantMembers(filter: Filter, diagnostics: Diagnostics): void {
  for (const comparison of comparisons(filter)) {
    if (comparison.kind !== "in") continue;
    const field = fieldOf(comparison.field);
    const names = field.type === "number" ? field : {};
    noteRedundant(
      comparison.items.map((item) => memberOf(item, names)),
      diagnostics,
    );
  }
}

/** Notes members that an earlier or larger one covers. Sorted by their start, the larger first, one walk finds them all. */
export function noteRedundant(members: readonly Member[], diagnostics: Diagnostics): void {
  const sorted = [...members].sort(
    (a, b) => a.space - b.space || compare(a.range.low, b.range.low) || compare(b.range.high, a.range.high),
  );
  let widest: Member | undefined;
  let notes = 0;
  for (const member of sorted) {
    if (widest?.space === member.space && member.range.high <= widest.range.high) {
      if (notes++ === MAX_NOTES) return;
      const related = [{ span: widest.span, text: "covered by this one" }];
      diagnostics.report("TG3008", member.span, { member: member.text, other: widest.text }, { related });
    } else widest = member;
  }
}

function memberOf(item: SetItem, names: Parameters<typeof numberOf>[0]): Member {
  const [low, high] = item.kind === "range" ? [item.low, item.high] : [item, item];
  const [first, last] = [spaceOf(low, names), spaceOf(high, names)];
  const text = item.kind === "range" ? `${printValue(low)}..${printValue(high)}` : printValue(item);
  return {
    space: first.space,
    range: { low: first.range.low, high: last.range.high },
    text,
    span: item.span,
  };
}

function spaceOf(operand: Operand, names: Parameters<typeof numberOf>[0]): Pick<Member, "space" | "range"> {
  const addresses = addressesOf(operand);
  if (addresses) return { space: addresses.family, range: addresses.range };
  const value = numberOf(names, operand) ?? 0n;
  return { space: 0, range: { low: value, high: value } };
}
