import type { AddressList, Rule } from "../../ir/policy.js";
import type { Diagram } from "../diagram.js";
import { firstMatchOf } from "../first-match.js";
import type { Ref } from "../ref.js";

/** A rule, with the number of its pair. */
export interface Numbered {
  readonly rule: Rule;
  readonly pair: number;
}

/** What packets meet in a stage: limits, and the rule that ends it; null: none does. Pairs by their numbers. */
export interface Met {
  readonly limits: readonly number[];
  readonly ended: Numbered | null;
}

/** The rules of a stage as one function. */
export interface StageDiagram {
  readonly root: Ref;
  readonly met: (answer: number) => Met;
}

/** What packets of `where` meet, and nothing elsewhere. Rules that neither end the stage nor limit are left out. */
export function stageDiagram(
  diagram: Diagram,
  rules: readonly Numbered[],
  lists: readonly AddressList[],
  where: Ref,
): StageDiagram {
  const plain = rules.map(({ rule }) => rule);
  const { root, reached } = firstMatchOf(diagram, plain, lists, where);
  const met = (answer: number): Met => {
    const { rules: numbers, ended } = reached(answer);
    const all = numbers.map((number) => rules[number] as Numbered);
    const limits = ended ? all.slice(0, -1) : all;
    return { limits: limits.map(({ pair }) => pair), ended: ended ? (all.at(-1) ?? null) : null };
  };
  return { root, met };
}
