import { invariant } from "../../diagnostics/invariant.js";
import type { Verdict } from "../../ir/policy.js";

/** A rule of either policy, by the number of its pair; pairs of both stages are numbered apart. */
export interface Decider {
  readonly stage: "mitigate" | "firewall";
  readonly pair: number;
}

/** What a policy does with a packet, as far as the packet alone decides it. */
export interface Outcome {
  /** `foreign`: the packet is to none of the policy's prefixes. */
  readonly verdict: Verdict | "foreign";
  /** Where the verdict falls: `route` where no route leads to an allowed packet's destination. */
  readonly stage: "root" | "mitigate" | "firewall" | "route";
  /** null: a default. */
  readonly decider: Decider | null;
  /** A stateful firewall awaits the rest of its datagram. */
  readonly held: boolean;
  /** Limits that the packet meets before, each of which may drop it too; in their order. */
  readonly limits: readonly Decider[];
}

const FOREIGN: Outcome = { verdict: "foreign", stage: "root", decider: null, held: false, limits: [] };

/** Outcomes of both policies, each once; number 0 is that of foreign packets. */
export class Outcomes {
  readonly #all: Outcome[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    this.number(FOREIGN);
  }

  number(outcome: Outcome): number {
    const { verdict, stage, decider, held, limits } = outcome;
    const key = [verdict, stage, textOf(decider), held, ...limits.map(textOf)].join(" ");
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#all.length);
    return this.#all.push(outcome) - 1;
  }

  at(number: number): Outcome {
    const outcome = this.#all[number];
    invariant(outcome, "an answer is the number of an outcome");
    return outcome;
  }
}

function textOf(decider: Decider | null): string {
  return decider ? `${decider.stage}/${decider.pair}` : "-";
}

/** What was, and what is instead. */
export interface Change {
  readonly before: Outcome;
  readonly after: Outcome;
}

/** undefined: it makes no difference to a packet. Limits that it meets before and after are left out. */
export function changeOf(before: Outcome, after: Outcome): Change | undefined {
  const sameLimits = textOfLimits(before) === textOfLimits(after);
  if (!sameLimits) return { before, after };
  // What is held may yet pass, as part of its datagram; what has no route was allowed, and only lacks a way.
  const isRouteless = (outcome: Outcome) => outcome.stage === "route";
  const sameEnd = before.held === after.held && isRouteless(before) === isRouteless(after);
  if (sameEnd && before.verdict === after.verdict) return undefined;
  return { before: { ...before, limits: [] }, after: { ...after, limits: [] } };
}

/** In their order: what one limit drops takes nothing from the next one's allowance. */
function textOfLimits({ limits }: Outcome): string {
  return limits.map(textOf).join();
}
