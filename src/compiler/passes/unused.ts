import type { Filter } from "../../dsl/filter/ast.js";
import type { Made, SurfaceRule } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { readMember } from "./addresses.js";
import { comparisons } from "./filters.js";
import { placeField } from "./operands.js";
import { checkTypes } from "./types.js";

/**
 * Looks into the expressions and lists that no rule uses: a mistake must not wait there until somebody does. What
 * only a rule decides is left alone: the operator's tables, and sets and lists that computing left empty.
 */
export function checkUnused(made: Made, rules: readonly SurfaceRule[], diagnostics: Diagnostics): void {
  const seen = new Set<Filter>();
  for (const { match } of rules) visit(match, seen, () => {});
  for (const filter of made.filters) {
    visit(filter, seen, (part) => {
      if (!isLeftToRules(part)) checkTypes(part, diagnostics);
    });
  }
  // A constant gives a list its name, and by that makes another object of it; the items stay the same.
  const used = new Set(
    rules
      .flatMap(({ match }) => comparisons(match))
      .map((part) => (part.kind === "inList" ? part.list.items : null)),
  );
  for (const { items } of made.lists) {
    if (!used.has(items)) for (const item of items) readMember(item, diagnostics);
  }
}

/** Each part once, because expressions that interpolate others share them. */
function visit(filter: Filter, seen: Set<Filter>, leaf: (part: Filter) => void): void {
  if (seen.has(filter)) return;
  seen.add(filter);
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor":
      for (const operand of filter.operands) visit(operand, seen, leaf);
      return;
    case "not":
      visit(filter.operand, seen, leaf);
      return;
    default:
      leaf(filter);
  }
}

function isLeftToRules(part: Filter): boolean {
  if (part.kind === "in" && part.items.length === 0) return true;
  const field = "field" in part ? part.field : "subject" in part ? part.subject : null;
  return (
    field !== null && (placeField(field) !== undefined || (part.kind === "text" && field.name === "ip.proto"))
  );
}
