import type { Filter, Operand, SetItem } from "../../dsl/filter/ast.js";
import { assertNever, invariant } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import { ADDRESS_BITS, type Family } from "../ir/address.js";
import type { Expr, Needs } from "../ir/expr.js";
import { ADDRESS_FIELDS, type AddressFieldName, NUMBER_FIELDS, type NumberFieldName } from "../ir/fields.js";
import { complement, type Intervals, intervals, type Range } from "../ir/intervals.js";
import type { CompareOp } from "../ir/value.js";
import type { Comparison } from "./filters.js";
import type { Lists } from "./lists.js";
import { addressesOf, fieldNamed, numberOf } from "./operands.js";

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
      invariant(false, "a filter with unknown parts is not lowered");
      break;
    default:
      return lowerComparison(filter, lists);
  }
}

function lowerComparison(comparison: Comparison, lists: Lists): Expr {
  const { span } = comparison;
  const { name, field } = fieldNamed(comparison.field.name);
  switch (comparison.kind) {
    case "flag":
      invariant(field.type === "flag", "only flags stand alone");
      return bitsTest(field.of, BigInt(field.mask), span);
    case "bits":
      return bitsTest(name as NumberFieldName, number(name as NumberFieldName, comparison.mask), span);
    case "inList":
      return lowerInList(comparison, name as AddressFieldName, lists);
    case "compare":
      return field.type === "address"
        ? lowerAddresses(name as AddressFieldName, [comparison.value], comparison.op === "ne", span)
        : numberTest(name as NumberFieldName, comparedNumbers(name as NumberFieldName, comparison), span);
    case "in":
      return field.type === "address"
        ? lowerAddresses(name as AddressFieldName, comparison.items, false, span)
        : numberTest(name as NumberFieldName, numbersOf(name as NumberFieldName, comparison.items), span);
    case "text":
      invariant(false, "no field of a packet is text");
      break;
    default:
      return assertNever(comparison);
  }
}

/** The values of a field that fulfil a comparison. */
function comparedNumbers(
  name: NumberFieldName,
  { op, value }: { readonly op: CompareOp; readonly value: Operand },
): Intervals {
  const bits = 8 * NUMBER_FIELDS[name].width;
  const last = (1n << BigInt(bits)) - 1n;
  const n = number(name, value);
  switch (op) {
    case "eq":
      return [{ low: n, high: n }];
    case "ne":
      return complement([{ low: n, high: n }], bits);
    case "lt":
      return upTo(0n, n - 1n);
    case "le":
      return upTo(0n, n);
    case "gt":
      return upTo(n + 1n, last);
    case "ge":
      return upTo(n, last);
    default:
      return assertNever(op);
  }
}

function upTo(low: bigint, high: bigint): Intervals {
  return low <= high ? [{ low, high }] : [];
}

function numbersOf(name: NumberFieldName, items: readonly SetItem[]): Intervals {
  return intervals(
    items.map((item) =>
      item.kind === "range"
        ? forwards(number(name, item.low), number(name, item.high))
        : forwards(number(name, item), number(name, item)),
    ),
  );
}

/** The reader refuses ranges that run backwards. */
function forwards(low: bigint, high: bigint): Range {
  invariant(low <= high, "a range runs forwards");
  return { low, high };
}

function number(name: NumberFieldName, operand: Operand): bigint {
  const value = numberOf(name, operand);
  invariant(value !== undefined, `the operand of ${name} is a number`);
  return value;
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

function addressNeeds(name: AddressFieldName, family: Family): Needs {
  const width = ADDRESS_BITS[family] / 8;
  return { header: family === 4 ? "ip4" : "ip6", bytes: ADDRESS_FIELDS[name].offset[family] + width };
}

function numberTest(field: NumberFieldName, ranges: Intervals, span: Span): Expr {
  return { kind: "number", field, ranges, needs: numberNeeds(field), span };
}

function bitsTest(field: NumberFieldName, mask: bigint, span: Span): Expr {
  return { kind: "bits", field, mask, needs: numberNeeds(field), span };
}

function numberNeeds(name: NumberFieldName): Needs {
  const { header, offset, width } = NUMBER_FIELDS[name];
  return { header, bytes: offset + width };
}
