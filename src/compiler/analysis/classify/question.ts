import type { Expr, Needs } from "../../ir/expr.js";
import { HEADERS, type Header } from "../../ir/headers.js";
import type { Intervals } from "../../ir/intervals.js";
import { type WireField, wireText } from "../../ir/wire.js";

/** What a classifier asks of a packet besides its addresses: a number of at most 32 bits, which may be absent. */
export type Question = FieldQuestion | ConditionQuestion;

interface Asked {
  /** Unique among the questions of a stage. */
  readonly key: string;
  readonly bits: number;
}

export interface FieldQuestion extends Asked {
  readonly kind: "field";
  readonly field: WireField;
  readonly needs: Needs;
}

/** Whether all of a condition holds that has too many terms: 1 or 0. */
export interface ConditionQuestion extends Asked {
  readonly kind: "condition";
  readonly match: Expr;
}

/** The numbers that a term allows, and whether it holds for packets that do not have the field. */
export interface Allowed {
  readonly ranges: Intervals;
  readonly absent: boolean;
}

export function questionOf(field: WireField, needs: Needs): FieldQuestion {
  const key = `${wireText(field)}/${needs.header}.${needs.bytes}`;
  return { kind: "field", key, bits: field.width, field, needs };
}

export const HOLDS: Allowed = { ranges: [{ low: 1n, high: 1n }], absent: false };

const TRANSPORTS = ["tcp", "udp", "icmp", "icmp6", "gre"] as const satisfies readonly Header[];

/** A transport header; a packet has at most one of them. */
export type Transport = (typeof TRANSPORTS)[number];

/** The transport header that a packet must have to have an answer, or null where any packet may. */
export function transportOf(question: Question): Transport | null {
  if (question.kind === "condition") return null;
  const { header } = question.needs;
  const { within } = HEADERS[header];
  return TRANSPORTS.find((transport) => transport === header || transport === within) ?? null;
}
