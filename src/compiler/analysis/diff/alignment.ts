import type { Expr } from "../../ir/expr.js";
import { sameIntervals } from "../../ir/intervals.js";
import type { AddressList, Rule } from "../../ir/policy.js";
import { printExpr } from "../../ir/print.js";

/** One rule of both policies, or a rule that only one of them has. */
export interface Pair {
  readonly before: Rule | null;
  readonly after: Rule | null;
  /** It stands elsewhere among the others. */
  readonly isMoved: boolean;
}

/** The rules of one stage in two policies. */
export interface Alignment {
  readonly pairs: readonly Pair[];
  /** The number of each rule's pair, in the order of the rules. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Whether two lists of one name hold the same addresses. */
export type SameList = (name: string) => boolean;

/**
 * Pairs rules that say the same. Those that have not moved stand in the same order in both policies, so where a packet is decided by
 * such rules it is decided by the same pair: only the others have to be compared.
 */
export function align(before: readonly Rule[], after: readonly Rule[], sameList: SameList): Alignment {
  const partners = partnersOf(before, after, sameList);
  const inPlace = inOrder(partners);
  const pairs = before.map((rule, index): Pair => {
    const partner = after[partners.get(index) ?? -1];
    return { before: rule, after: partner ?? null, isMoved: partner !== undefined && !inPlace.has(index) };
  });
  const taken = new Map([...partners].map(([old, now]) => [now, old]));
  const numbers = after.map((rule, index) => {
    return taken.get(index) ?? pairs.push({ before: null, after: rule, isMoved: false }) - 1;
  });
  return { pairs, before: before.map((_, index) => index), after: numbers };
}

/** Packets that it matches may be treated differently. */
export function isChanged({ before, after, isMoved }: Pair): boolean {
  return !before || !after || isMoved;
}

type Partners = ReadonlyMap<number, number>;

/** By name, as that is what rules are known by; those that are left by what they say. */
function partnersOf(before: readonly Rule[], after: readonly Rule[], sameList: SameList): Partners {
  const named = new Map(after.map(({ name }, index) => [name, index]));
  const partners = new Map<number, number>();
  const pair = (old: number, now: number | undefined): boolean => {
    const [a, b] = [before[old], now === undefined ? undefined : after[now]];
    if (now === undefined || !a || !b || !sameRule(a, b, sameList)) return false;
    partners.set(old, now);
    return true;
  };
  const rest = before.flatMap(({ name }, index) => (pair(index, named.get(name)) ? [] : [index]));
  const taken = new Set(partners.values());
  const said = new Map<string, number[]>();
  for (const [index, rule] of after.entries()) {
    if (taken.has(index)) continue;
    const key = textOf(rule);
    said.set(key, [...(said.get(key) ?? []), index]);
  }
  for (const index of rest) {
    const rule = before[index];
    const alike = rule && said.get(textOf(rule));
    if (alike && pair(index, alike[0])) alike.shift();
  }
  return partners;
}

function textOf({ action, match }: Rule): string {
  return `${action.kind} ${printExpr(match)}`;
}

/** The most partners that stand in the same order on both sides: the longest increasing sequence. */
function inOrder(partners: Partners): Partners {
  const sequence = [...partners].sort(([a], [b]) => a - b);
  /** Of the sequences of each length, the one that ends lowest: its last member. */
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [at, [, now]] of sequence.entries()) {
    let length = 0;
    for (let high = ends.length; length < high; ) {
      const middle = (length + high) >> 1;
      if ((sequence[ends[middle] ?? 0]?.[1] ?? 0) < now) length = middle + 1;
      else high = middle;
    }
    previous[at] = length === 0 ? -1 : (ends[length - 1] ?? -1);
    ends[length] = at;
  }
  const kept = new Map<number, number>();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) {
    const partner = sequence[at];
    if (partner) kept.set(...partner);
  }
  return kept;
}

/** They treat the same packets in the same way; how much a limit allows is left aside. */
function sameRule(a: Rule, b: Rule, sameList: SameList): boolean {
  return a.action.kind === b.action.kind && sameExpr(a.match, b.match, sameList);
}

/** Equal but for their places in the text; lists by what they hold. */
export function sameExpr(a: Expr, b: Expr, sameList: SameList): boolean {
  switch (a.kind) {
    case "const":
      return b.kind === "const" && a.value === b.value;
    case "not":
      return b.kind === "not" && sameExpr(a.operand, b.operand, sameList);
    case "and":
    case "or":
    case "xor":
      return (
        b.kind === a.kind &&
        a.operands.length === b.operands.length &&
        a.operands.every((operand, index) => {
          const other = b.operands[index];
          return other !== undefined && sameExpr(operand, other, sameList);
        })
      );
    case "address":
      return (
        b.kind === "address" &&
        a.field === b.field &&
        a.family === b.family &&
        sameIntervals(a.ranges, b.ranges)
      );
    case "list":
      return (
        b.kind === "list" &&
        a.field === b.field &&
        a.family === b.family &&
        a.list === b.list &&
        sameList(a.list)
      );
    case "number":
      return b.kind === "number" && samePlace(a.field, b.field) && sameIntervals(a.ranges, b.ranges);
    case "bits":
      return b.kind === "bits" && samePlace(a.field, b.field) && a.mask === b.mask;
  }
}

type Place = Extract<Expr, { readonly kind: "number" }>["field"];

function samePlace(a: Place, b: Place): boolean {
  return a.header === b.header && a.offset === b.offset && a.width === b.width;
}

/** Lists that both policies have, with the same addresses in them. */
export function sameLists(before: readonly AddressList[], after: readonly AddressList[]): SameList {
  const others = new Map(after.map((list) => [list.name, list]));
  const same = new Set(
    before.flatMap((list) => {
      const other = others.get(list.name);
      return other && sameIntervals(list[4], other[4]) && sameIntervals(list[6], other[6]) ? [list.name] : [];
    }),
  );
  return (name) => same.has(name);
}
