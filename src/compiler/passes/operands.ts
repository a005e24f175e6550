import type { Operand } from "../../dsl/filter/ast.js";
import { assertNever, invariant } from "../diagnostics/invariant.js";
import { type Family, prefixRange } from "../ir/address.js";
import {
  FIELDS,
  type Field,
  type FieldName,
  isFieldName,
  NUMBER_FIELDS,
  type NumberFieldName,
} from "../ir/fields.js";
import type { Range } from "../ir/intervals.js";

/** The field of a name that the type checker has accepted. */
export function fieldNamed(name: string): { readonly name: FieldName; readonly field: Field } {
  invariant(isFieldName(name), `${name} is a field`);
  return { name, field: FIELDS[name] };
}

export function describeField(field: Field): string {
  return field.type === "address" ? "an address" : field.type === "number" ? "a number" : "a flag";
}

/** The number that an operand stands for in `field`; undefined: none. Not yet checked against the field's width. */
export function numberOf(field: NumberFieldName, operand: Operand): bigint | undefined {
  if (operand.kind === "number") return operand.value;
  if (operand.kind !== "string") return undefined;
  const names = NUMBER_FIELDS[field].names ?? {};
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
