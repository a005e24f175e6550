import { invariant } from "../../diagnostics/invariant.js";
import type { AddressList, Rule } from "../../ir/policy.js";
import type { Diagram } from "../diagram.js";
import { diagramOf, isTerminal } from "../first-match.js";
import { always, answerOf, NO, type Ref } from "../ref.js";

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
  const meetings = new Meetings();
  const behind = diagram.operation((a, b) => meetings.behind(a, b));
  const each = rules.map((numbered) => {
    const { rule, pair } = numbered;
    const met = isTerminal(rule) ? { limits: [], ended: numbered } : { limits: [pair], ended: null };
    const matched = diagram.intersection(diagramOf(diagram, rule.match, lists), where);
    return diagram.within(always(meetings.number(met)), matched);
  });
  return { root: diagram.fold(each, behind, NO), met: (answer) => meetings.at(answer) };
}

/** Each of them once; number 0 is to meet nothing. */
class Meetings {
  readonly #all: Met[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    this.number({ limits: [], ended: null });
  }

  at(number: number): Met {
    const met = this.#all[number];
    invariant(met, "an answer is the number of a meeting");
    return met;
  }

  number(met: Met): number {
    const key = `${met.limits.join()}.${met.ended?.pair ?? ""}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#all.length);
    return this.#all.push(met) - 1;
  }

  /** What is met first and then, unless it ends the stage, the rest. */
  behind(first: Ref, rest: Ref): Ref | null {
    if (first === NO) return rest;
    if (rest === NO) return first;
    const [a, b] = [answerOf(first), answerOf(rest)];
    if (a === undefined) return null;
    const start = this.at(a);
    if (start.ended) return first;
    if (b === undefined) return null;
    const end = this.at(b);
    return always(this.number({ limits: [...start.limits, ...end.limits], ended: end.ended }));
  }
}
