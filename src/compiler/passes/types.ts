import type { FieldRef, Filter, Operand, SetItem } from "../../dsl/filter/ast.js";
import type { Code, ParamsOf } from "../diagnostics/catalogue/index.js";
import type { Diagnostics, Extras } from "../diagnostics/diagnostic.js";
import { assertNever, impossible } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import { type Family, formatPrefix, parseAddress, parsePrefix } from "../ir/address.js";
import { FIELDS, type Field, isFieldName, type NumberField } from "../ir/fields.js";
import { describeValue, OPERATORS } from "../ir/value.js";
import { type Comparison, comparisons, unknownParts } from "./filters.js";
import { functionField } from "./functions.js";
import { addressesOf, describeField, numberOf } from "./operands.js";
import { hasBits } from "./readings.js";
import { operatorHint, unknownFieldHint, unknownNameHint } from "./type-hints.js";

/** Reports every comparison whose field, operator and values do not fit together; true if all of them do. */
export function checkTypes(filter: Filter, diagnostics: Diagnostics): boolean {
  for (const { subject } of unknownParts(filter)) {
    if (subject) checkField(subject, refusal(diagnostics));
  }
  return comparisons(filter)
    .map((comparison) => checkComparison(comparison, diagnostics))
    .every((fits) => fits);
}

/** The field that is named; undefined after a report. */
function checkField(ref: FieldRef, refuse: Refuse): Field | undefined {
  const { name, span } = ref;
  if (ref.args !== null) return checkFunction(ref, refuse);
  if (isFieldName(name)) {
    const field = FIELDS[name];
    if (field.type !== "country" && field.type !== "asnum") return field;
    refuse("TG2002", span, { field: name });
  } else refuse("TG2001", span, { field: name }, { hint: unknownFieldHint(name) });
  return undefined;
}

function checkFunction(ref: FieldRef, refuse: Refuse): Field | undefined {
  const read = functionField(ref);
  if (read.kind === "field") return read.field;
  refuse("TG2013", read.span, { call: ref.name, problem: read.problem });
  return undefined;
}

function checkComparison(comparison: Comparison, diagnostics: Diagnostics): boolean {
  const refuse = refusal(diagnostics);
  const field = checkField(comparison.field, refuse);
  if (!field) return false;
  switch (comparison.kind) {
    case "compare":
      return checkCompare(comparison, field, refuse);
    case "in":
      return checkSet(comparison, field, refuse);
    case "inList":
      return field.type === "address" || wrongValue(comparison, field, "a list of addresses", refuse);
    case "bits":
      return field.type === "number" && hasBits(field)
        ? checkNumber(comparison, field, comparison.mask, refuse)
        : wrongOperator(comparison, field, "&", refuse);
    case "text":
      return wrongOperator(comparison, field, comparison.op, refuse);
    case "flag":
      return field.type === "flag" || notACondition(comparison, field, refuse);
    default:
      return assertNever(comparison);
  }
}

/** Reports, and is false: what a check returns. */
type Refuse = <C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras?: Extras) => false;

function refusal(diagnostics: Diagnostics): Refuse {
  return (code, span, params, extras) => {
    diagnostics.report(code, span, params, extras);
    return false;
  };
}

function checkCompare(
  comparison: Extract<Comparison, { kind: "compare" }>,
  field: Field,
  refuse: Refuse,
): boolean {
  const { op, value } = comparison;
  const isEquality = op === "eq" || op === "ne";
  switch (field.type) {
    case "flag":
      return wrongOperator(comparison, field, OPERATORS[op], refuse);
    case "number":
      if (!isEquality && value.kind === "string")
        return wrongOperator(comparison, field, OPERATORS[op], refuse);
      return checkNumber(comparison, field, value, refuse);
    case "address":
      if (!isEquality) return wrongOperator(comparison, field, OPERATORS[op], refuse);
      return value.kind === "address" || checkAddress(comparison, value, refuse);
    case "country":
    case "asnum":
      return impossible("fields of the operator's tables are refused");
    default:
      return assertNever(field);
  }
}

function checkSet(comparison: Extract<Comparison, { kind: "in" }>, field: Field, refuse: Refuse): boolean {
  if (comparison.items.length === 0) return refuse("TG2008", comparison.span, { what: "this set" });
  if (field.type === "flag") return wrongOperator(comparison, field, "in", refuse);
  const check = (operand: Operand): boolean =>
    field.type === "number"
      ? checkNumber(comparison, field, operand, refuse)
      : checkMember(comparison, operand, refuse);
  const fits = comparison.items.map((item) => checkItem(item, check, refuse)).every((fine) => fine);
  return fits && (field.type === "number" || checkFamilies(comparison.items, refuse));
}

function checkItem(item: SetItem, check: (operand: Operand) => boolean, refuse: Refuse): boolean {
  if (item.kind !== "range") return check(item);
  const ends = [item.low, item.high].map(check);
  if (!ends.every((fits) => fits)) return false;
  const [low, high] = [addressesOf(item.low), addressesOf(item.high)];
  return low?.family === high?.family || refuse("TG2009", item.span, {});
}

/** The families of a set's members must agree; the first that differs is shown. */
function checkFamilies(items: readonly SetItem[], refuse: Refuse): boolean {
  const first = items[0];
  const stranger = items.find((item) => familyOf(item) !== (first && familyOf(first)));
  if (!first || !stranger) return true;
  const related = [{ span: first.span, text: `this is IPv${familyOf(first)}` }];
  const hint = "write two sets, joined by `or`, or put the addresses into a `list`";
  return refuse("TG2009", stranger.span, {}, { related, hint });
}

function familyOf(item: SetItem): Family | undefined {
  return addressesOf(item.kind === "range" ? item.low : item)?.family;
}

type AddressComparison = Extract<Comparison, { kind: "compare" | "in" }>;

/** An address alone: where a prefix is written, braces are missing. */
function checkAddress(comparison: AddressComparison, operand: Operand, refuse: Refuse): boolean {
  const { name } = comparison.field;
  const params = { field: name, type: "an address", value: describeValue(operand) };
  return refuse("TG2004", operand.span, params, { hint: addressHint(comparison, operand) });
}

function addressHint({ kind, field, ...rest }: AddressComparison, operand: Operand): string | undefined {
  if (operand.kind === "string") return textHint(operand.value);
  if (operand.kind !== "prefix" || kind !== "compare") return undefined;
  const not = "op" in rest && rest.op === "ne" ? "not " : "";
  return `write \`${not}${field.name} in {${formatPrefix(operand.prefix)}}\``;
}

/** An interpolated text that says an address is one, so a text that says one was written in quotes. */
function textHint(text: string): string {
  return parseAddress(text) || parsePrefix(text).kind !== "bad"
    ? "write addresses without quotes"
    : "addresses are like 192.0.2.1 or 2001:db8::1";
}

/** A member of a set of addresses: an address or a prefix. */
function checkMember(comparison: AddressComparison, operand: Operand, refuse: Refuse): boolean {
  return addressesOf(operand) !== undefined || checkAddress(comparison, operand, refuse);
}

function checkNumber(
  { field: { name } }: Comparison,
  field: NumberField,
  operand: Operand,
  refuse: Refuse,
): boolean {
  const { max, names } = field;
  const value = numberOf(field, operand);
  if (value !== undefined)
    return value <= BigInt(max) || refuse("TG2006", operand.span, { value: String(value), field: name, max });
  if (operand.kind === "string" && names) {
    const hint = unknownNameHint(operand.value, names);
    return refuse("TG2005", operand.span, { field: name, name: operand.value }, { hint });
  }
  const hint =
    operand.kind === "string" && /^\d+$/.test(operand.value)
      ? `write ${operand.value} without quotes`
      : undefined;
  const params = { field: name, type: "a number", value: describeValue(operand) };
  return refuse("TG2004", operand.span, params, { hint });
}

function wrongOperator(comparison: Comparison, field: Field, operator: string, refuse: Refuse): false {
  const { name } = comparison.field;
  const hint = operatorHint(name, field, operator);
  const params = { operator, field: name, type: describeField(field) };
  return refuse("TG2003", comparison.span, params, { hint });
}

function wrongValue(comparison: Comparison, field: Field, value: string, refuse: Refuse): false {
  const params = { field: comparison.field.name, type: describeField(field), value };
  return refuse("TG2004", comparison.span, params);
}

function notACondition(comparison: Comparison, field: Field, refuse: Refuse): false {
  const { name } = comparison.field;
  const hint = field.type === "address" ? `write \`${name} in {…}\`` : `write \`${name} == …\``;
  return refuse("TG2007", comparison.span, { field: name, type: describeField(field) }, { hint });
}
