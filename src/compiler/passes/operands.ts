import type { FieldRef, Operand } from "../../dsl/filter/ast.js";
import { assertNever, invariant } from "../diagnostics/invariant.js";
import { type Family, prefixRange } from "../ir/address.js";
import { FIELDS, type Field, isFieldName, type NumberField, type PlaceField } from "../ir/fields.js";
import type { Range } from "../ir/intervals.js";
import { functionField } from "./functions.js";

/** The field that a reference names, which the type checker has accepted. */
export function fieldOf(ref: FieldRef): Field {
  if (ref.args === null) {
    invariant(isFieldName(ref.name), `${ref.name} is a field`);
    return FIELDS[ref.name];
  }
  const field = functionField(ref);
  invariant(field.kind === "field", `${ref.name} is a function of the packet`);
  return field.field;
}

/** The field of the operator's tables that a reference names, or undefined: it names another one, or none. */
export function placeField({ name, args }: FieldRef): PlaceField | undefined {
  if (args !== null || !isFieldName(name)) return undefined;
  const field: Field = FIELDS[name];
  return field.type === "country" || field.type === "asnum" ? field : undefined;
}

/** Equal for references to the same field only: the name, with its arguments. */
export function fieldKey({ name, args }: FieldRef): string {
  if (args === null) return name;
  return `${name}(${args.map((arg) => ("value" in arg ? arg.value : arg.kind)).join(", ")})`;
}

export function describeField(field: Field): string {
  return DESCRIPTIONS[field.type];
}

const DESCRIPTIONS = {
  address: "an address",
  number: "a number",
  flag: "a flag",
  country: "a country",
  asnum: "an AS number",
} as const satisfies Readonly<Record<Field["type"], string>>;

/** The number that an operand stands for in `field`; undefined: none. Not yet checked against the field's bounds. */
export function numberOf({ names = {} }: Pick<NumberField, "names">, operand: Operand): bigint | undefined {
  if (operand.kind === "number") return operand.value;
  if (operand.kind !== "string") return undefined;
  const value = Object.hasOwn(names, operand.value) ? names[operand.value] : undefined;
  return value === undefined ? undefined : BigInt(value);
}

/** The addresses that an operand stands for; undefined: none. */
export function addressesOf(
  operand: Operand,
): { readonly family: Family; readonly range: Range } | undefined {
  switch (operand.kind) {
    case "address": {
      const { family, value } = operand.address;
      return { family, range: { low: value, high: value } };
    }
    case "prefix":
      return { family: operand.prefix.family, range: prefixRange(operand.prefix) };
    case "number":
    case "string":
      return undefined;
    default:
      return assertNever(operand);
  }
}
