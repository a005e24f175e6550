import type { Family } from "../../compiler/ir/address.js";
import { type Intervals, intersection, sameIntervals, universe } from "../../compiler/ir/intervals.js";
import { comparison, decimal } from "./spelling.js";
import { familyGuard, PROTOCOL } from "./words.js";

/** Which packets a chain judges: a later fragment has no transport header (docs/semantics.md, "Fields"). */
export type Part = "whole" | "laterFragment";

/** One nft match. nft ends the rule when a load finds its bytes missing: false where the field is absent. */
export interface Condition {
  readonly text: string;
  /**
   * Whether nft writes by itself the guards `meta nfproto` and `meta l4proto` that say which packets the text is about. A
   * raw load has none, and `tcp option` neither.
   */
  readonly guarded: boolean;
  /** The same without a guard for the protocol, where nft has a word for that. */
  readonly bare: string | null;
  /** The only family whose packets it can hold for, or null. */
  readonly family: Family | null;
  /** The transport protocols that it can hold for. */
  readonly protocols: Intervals;
  /** Where it stands in a line: headers from the outside in. */
  readonly layer: Layer;
  /** Of the conditions that speak `of` the same, those with one `value` hold at most. */
  readonly one: { readonly of: string; readonly value: number } | null;
}

type Layer = "connection" | "network" | "protocol" | "transport";

export const ANY_PROTOCOL = universe(8);

/** No packet can meet all. nft refuses such a rule ("conflicting protocols specified") instead of never matching. */
export function contradict(conditions: readonly Condition[]): boolean {
  const families = new Set(conditions.map(({ family }) => family).filter((family) => family !== null));
  if (families.size > 1 || commonProtocols(conditions).length === 0) return true;
  const values = new Map<string, number>();
  return conditions.some(({ one }) => {
    if (!one) return false;
    const value = values.get(one.of) ?? one.value;
    values.set(one.of, value);
    return value !== one.value;
  });
}

/** Whether they hold for the same packets. A raw load's text does not say which headers it is about. */
export function sameCondition(a: Condition, b: Condition): boolean {
  return a.text === b.text && a.family === b.family && sameIntervals(a.protocols, b.protocols);
}

/**
 * All conditions as one line, for packets that surely have one of these protocols; null: they may have none. `and`
 * commutes, so headers stand from the outside in, as in the packet.
 */
export function matchText(conditions: readonly Condition[], protocols: Intervals | null = null): string {
  const bare = needsNoGuard(conditions, protocols);
  return [
    ...texts(conditions, "connection"),
    ...familyGuards(conditions),
    ...texts(conditions, "network"),
    ...texts(bare ? conditions.map(withoutGuard) : conditions, "transport"),
    // Last, because nft 1.0.6 cannot list `@th` behind a protocol that it has no words for (payload_expr_complete aborts).
    ...(bare ? [] : protocolGuards(conditions)),
  ].join(" ");
}

/** All of the packets have a protocol that the conditions are about, and all that they ask can be said so. */
function needsNoGuard(conditions: readonly Condition[], protocols: Intervals | null): boolean {
  if (!protocols) return false;
  const about = intersection(protocols, commonProtocols(conditions));
  return (
    sameIntervals(about, protocols) &&
    conditions.every(({ layer, guarded, bare }) => layer !== "transport" || !guarded || bare !== null)
  );
}

function withoutGuard(condition: Condition): Condition {
  return { ...condition, text: condition.bare ?? condition.text };
}

/** nft's own words first: they bring their guards with them. */
function texts(conditions: readonly Condition[], layer: Layer): readonly string[] {
  const there = conditions.filter((condition) => condition.layer === layer);
  const [words, raw] = [there.filter(({ guarded }) => guarded), there.filter(({ guarded }) => !guarded)];
  return [...words, ...raw].map(({ text }) => text);
}

function familyGuards(conditions: readonly Condition[]): readonly string[] {
  const family = conditions.map((condition) => condition.family).find((one) => one !== null) ?? null;
  const said = conditions.some(({ layer, guarded }) => layer === "network" && guarded);
  return family === null || said ? [] : [familyGuard(family)];
}

/**
 * One match for all that the line asks of the protocol, unless a word of the transport header says it. nft 1.0.6 calls
 * `meta l4proto { 6, 17 } udp dport 53` a conflict.
 */
function protocolGuards(conditions: readonly Condition[]): readonly string[] {
  const asks = conditions.some(({ layer }) => layer === "protocol" || layer === "transport");
  const said = conditions.some(({ layer, guarded }) => layer === "transport" && guarded);
  return asks && !said ? [`${PROTOCOL} ${comparison(commonProtocols(conditions), 8, decimal)}`] : [];
}

function commonProtocols(conditions: readonly Condition[]): Intervals {
  return conditions.map(({ protocols }) => protocols).reduce(intersection, ANY_PROTOCOL);
}
