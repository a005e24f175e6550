import fc from "fast-check";
import type { Packet } from "../../src/compiler/semantics/decode.js";

/** A condition as an author writes it, with what it means: worked out from what was written, past all passes of the compiler. */
export interface Condition {
  readonly text: string;
  readonly binds: Binding;
  readonly holds: (packet: Packet) => boolean;
  /** The comparisons that it is made of. */
  readonly comparisons: readonly Comparison[];
}

/** One comparison, by what tests are counted by. */
export interface Comparison {
  /** A field's name, or a function's: that of `bit_slice` with its protocol. */
  readonly subject: string;
  readonly operator: Operator;
  readonly holds: (packet: Packet) => boolean;
}

/** In one spelling each. `is`: a flag by itself. */
export const OPERATORS = [
  "is",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "in",
  "in list",
  "&",
  "contains",
  "matches",
] as const;
export type Operator = (typeof OPERATORS)[number];

/** What a condition is made by: from the tightest operator to the loosest (docs/language.md). */
export const BINDINGS = ["comparison", "not", "and", "xor", "or"] as const;
export type Binding = (typeof BINDINGS)[number];

export function comparison(
  subject: string,
  operator: Operator,
  text: string,
  holds: Condition["holds"],
): Condition {
  return { text, binds: "comparison", holds, comparisons: [{ subject, operator, holds }] };
}

type Compare = (value: bigint, other: bigint) => boolean;

/** Every spelling of every operator, and what it asks. */
export const COMPARISONS: readonly (readonly [operator: Operator, also: string, Compare])[] = [
  ["==", "eq", (value, other) => value === other],
  ["!=", "ne", (value, other) => value !== other],
  ["<", "lt", (value, other) => value < other],
  ["<=", "le", (value, other) => value <= other],
  [">", "gt", (value, other) => value > other],
  [">=", "ge", (value, other) => value >= other],
];
export const EQUALITIES = COMPARISONS.slice(0, 2);

export const operatorAmong = (from: typeof COMPARISONS) =>
  fc
    .constantFrom(...from)
    .chain(([operator, also, asks]) =>
      fc.constantFrom(operator, also).map((text) => ({ operator, text, asks })),
    );
