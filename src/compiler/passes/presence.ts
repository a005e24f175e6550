import type { Filter, SetItem } from "../../dsl/filter/ast.js";
import { assertNever, impossible, invariant } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import { ADDRESS_BITS, type Family } from "../ir/address.js";
import type { Expr } from "../ir/expr.js";
import type { AddressFieldName } from "../ir/fields.js";
import { complement, intervals, type Range } from "../ir/intervals.js";
import type { Comparison } from "./filters.js";
import type { Lists } from "./lists.js";
import { addressesOf, fieldOf } from "./operands.js";
import { addressNeeds, bitsTests, flagTests, numberTests } from "./readings.js";
import { forwards, numberIn, valuesOf } from "./values.js";

/**
 * Turns a filter into tests that say themselves what must be in the packet, so that no target has to know.
 * Comparisons of addresses belong to one family. Total for filters and lists without mistakes.
 */
export function makePresenceExplicit(filter: Filter, lists: Lists): Expr {
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor": {
      const operands = filter.operands.map((operand) => makePresenceExplicit(operand, lists));
      return { kind: filter.kind, operands, span: filter.span };
    }
    case "not":
      return { kind: "not", operand: makePresenceExplicit(filter.operand, lists), span: filter.span };
    case "unknown":
      return impossible("a filter with unknown parts is not lowered");
    default:
      return lowerComparison(filter, lists);
  }
}

function lowerComparison(comparison: Comparison, lists: Lists): Expr {
  const { span } = comparison;
  const field = fieldOf(comparison.field);
  switch (field.type) {
    case "flag":
      invariant(comparison.kind === "flag", "a flag stands alone");
      return flagTests(field, span);
    case "number":
      if (comparison.kind === "bits") return bitsTests(field, numberIn(field, comparison.mask), span);
      return numberTests(field, valuesOf(comparison, field), span);
    case "address":
      return lowerAddress(comparison, comparison.field.name as AddressFieldName, lists);
    case "country":
    case "asnum":
      return impossible("fields of the operator's tables are refused");
    default:
      return assertNever(field);
  }
}

function lowerAddress(comparison: Comparison, name: AddressFieldName, lists: Lists): Expr {
  switch (comparison.kind) {
    case "inList":
      return lowerInList(comparison, name, lists);
    case "compare":
      return lowerAddresses(name, [comparison.value], comparison.op === "ne", comparison.span);
    case "in":
      return lowerAddresses(name, comparison.items, false, comparison.span);
    default:
      return impossible("an address is compared with addresses");
  }
}

/** All items are of one family; `negated` is the rest of that family, not of the other one. */
function lowerAddresses(
  name: AddressFieldName,
  items: readonly SetItem[],
  negated: boolean,
  span: Span,
): Expr {
  const members = items.map(rangeOf);
  const family = members[0]?.family;
  invariant(
    family && members.every((member) => member.family === family),
    "a set of addresses has one family",
  );
  const ranges = intervals(members.map(({ range }) => range));
  return {
    kind: "address",
    field: name,
    family,
    ranges: negated ? complement(ranges, ADDRESS_BITS[family]) : ranges,
    needs: addressNeeds(name, family),
    span,
  };
}

function rangeOf(item: SetItem): { readonly family: Family; readonly range: Range } {
  const low = addressesOf(item.kind === "range" ? item.low : item);
  const high = addressesOf(item.kind === "range" ? item.high : item);
  invariant(low && high, "a member of a set of addresses is an address");
  return { family: low.family, range: forwards(low.range.low, high.range.high) };
}

/** A list may hold both families: one test for each that it has. */
function lowerInList(
  comparison: Extract<Comparison, { kind: "inList" }>,
  name: AddressFieldName,
  lists: Lists,
): Expr {
  const { span } = comparison;
  const list = lists.get(comparison.list);
  invariant(list, "the list was read");
  const families = ([4, 6] as const).filter((family) => list[family].length > 0);
  const operands = families.map(
    (family): Expr => ({
      kind: "list",
      field: name,
      family,
      list: list.name,
      needs: addressNeeds(name, family),
      span,
    }),
  );
  const [only] = operands;
  return operands.length === 1 && only ? only : { kind: "or", operands, span };
}
