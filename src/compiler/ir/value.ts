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
