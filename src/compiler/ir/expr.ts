import type { Spanned } from "../diagnostics/span.js";
import type { Family } from "./address.js";
import type { AddressFieldName } from "./fields.js";
import type { Header } from "./headers.js";
import type { Intervals } from "./intervals.js";
import { type WireField, wireText } from "./wire.js";

/**
 * What must be in the packet for a test to be able to hold: `bytes` bytes from the start of `header`,
 * inside the packet's own length. A test whose need is not met is false (docs/semantics.md, "Absent fields").
 * The presence pass writes it; no target works it out for itself.
 */
export interface Needs {
  readonly header: Header;
  readonly bytes: number;
}

/** The address lies in one of the ranges. `ip.src != A` is the complement of A in A's family. */
export interface AddressTest extends Spanned {
  readonly kind: "address";
  readonly field: AddressFieldName;
  readonly family: Family;
  readonly ranges: Intervals;
  readonly needs: Needs;
}

/** The address is in a named list: data that changes without a new program. */
export interface ListTest extends Spanned {
  readonly kind: "list";
  readonly field: AddressFieldName;
  readonly family: Family;
  readonly list: string;
  readonly needs: Needs;
}

/** The number lies in one of the ranges. */
export interface NumberTest extends Spanned {
  readonly kind: "number";
  readonly field: WireField;
  readonly ranges: Intervals;
  readonly needs: Needs;
}

/** At least one bit of `mask` is set. Not the same as an equality: SYN is also set in a SYN-ACK. */
export interface BitsTest extends Spanned {
  readonly kind: "bits";
  readonly field: WireField;
  readonly mask: bigint;
  readonly needs: Needs;
}

/** A question about one packet. Tests are total: they are false, never undefined, on an absent field. */
export type Test = AddressTest | ListTest | NumberTest | BitsTest;

/** Plain Boolean algebra over tests. `and` of nothing is true, `or` of nothing is false. */
export type Expr =
  | Test
  | (Spanned & { readonly kind: "and" | "or" | "xor"; readonly operands: readonly Expr[] })
  | (Spanned & { readonly kind: "not"; readonly operand: Expr })
  | (Spanned & { readonly kind: "const"; readonly value: boolean });

/** It asks about the packet itself, and holds no other expression. */
export function isTest(expr: Expr): expr is Test {
  return "needs" in expr;
}

/** The tests of an expression from left to right; one that stands in two places appears twice. */
export function testsOf(expr: Expr): readonly Test[] {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return expr.operands.flatMap(testsOf);
    case "not":
      return testsOf(expr.operand);
    case "const":
      return [];
    default:
      return [expr];
  }
}

/** What a test asks about, for people: `ip.src`, `tcp.dstport`, `udp[64:8]`. */
export function fieldText({ field }: Test): string {
  return typeof field === "string" ? field : wireText(field);
}
