import { clip } from "../diagnostics/clip.js";
import { assertNever } from "../diagnostics/invariant.js";
import { type Address, formatAddress, formatPrefix, type Prefix } from "./address.js";

/** What a field is compared with, before it is known whether it fits the field. */
export type Value =
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "address"; readonly address: Address }
  | { readonly kind: "prefix"; readonly prefix: Prefix };

export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** How an operator is written. */
export const OPERATORS: Readonly<Record<CompareOp, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** What a value is, in the words of messages. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case "number":
      return `the number ${clip(value.value.toString())}`;
    case "string":
      return `the text ${JSON.stringify(clip(value.value))}`;
    case "address":
      return `the address ${formatAddress(value.address)}`;
    case "prefix":
      return `the prefix ${formatPrefix(value.prefix)}`;
    default:
      return assertNever(value);
  }
}

/** A value as it is written in an expression; a text that has no spelling of its own there is an interpolation. */
export function printValue(value: Value): string {
  switch (value.kind) {
    case "number":
      return value.value.toString();
    case "address":
      return formatAddress(value.address);
    case "prefix":
      return formatPrefix(value.prefix);
    case "string":
      return /^[ !#%-[\]-_a-~]*$/.test(value.value) ? `"${value.value}"` : `\${${quoted(value.value)}}`;
    default:
      return assertNever(value);
  }
}

/** As a TypeScript literal of visible characters only: others could hide what a reader sees (TG1006). */
function quoted(text: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[^ -~]/g, escaped);
}
