import { boundsOf } from "../../compiler/ir/bounds.js";
import type { Expr, Test } from "../../compiler/ir/expr.js";
import { forwardsInXdp, type Policy, type Rule, type Verdict } from "../../compiler/ir/policy.js";
import { bytesNeeded, slice, WIRE_FIELDS, type WireField } from "../../compiler/ir/wire.js";
import type { Asked } from "./places.js";

/** The early step (docs/semantics.md): what of the firewall can be decided before the namespace. */

/**
 * What becomes of a packet here. `drop`: it is dropped, and counted. `forward`: allowed, and what is plain is counted and sent
 * into its tunnel from here. `on`: to the namespace, which judges it by all rules, and counts it.
 */
export type EarlyEnd = "drop" | "forward" | "on";

/** A question of the early step. The first one that holds ends it; what is counted is counted under its rule. */
export interface EarlyQuestion extends Asked {
  /** The firewall's rule that it is about, and its place there. */
  readonly rule: Rule;
  readonly index: number;
  readonly ends: EarlyEnd;
}

export interface EarlyStep {
  readonly questions: readonly EarlyQuestion[];
  /** What holds for packets that are not asked at all and go on; null: all are asked. */
  readonly unasked: Expr | null;
  /** What the firewall's default does with a packet that no question holds for. */
  readonly rest: EarlyEnd;
}

/** null: nothing is decided early. */
export function earlyStep(policy: Policy): EarlyStep | null {
  const { firewall, span } = policy;
  const { offload, rules, earlyRules = rules.length, stateful } = firewall;
  if (offload === "off") return null;
  const endOf = (verdict: Verdict) => endIn(policy, verdict);
  const all = reached(rules.slice(0, earlyRules).flatMap((rule, index) => questionsOf(rule, index, endOf)));
  const isWhole = earlyRules >= rules.length && !isAlways(all.at(-1));
  const rest = isWhole ? endOf(firewall.default) : "on";
  // Behind the last one that decides, everything goes on, asked or not.
  const questions = rest === "on" ? all.slice(0, all.findLastIndex(({ ends }) => ends !== "on") + 1) : all;
  if (rest === "on" && questions.length === 0) return null;
  return { questions, unasked: stateful ? fragment(span) : null, rest };
}

/** Whether anything is sent on from XDP: else the program has nothing to send it with. */
export function sendsSome(policy: Policy): boolean {
  const step = forwardsInXdp(policy) ? earlyStep(policy) : null;
  return step !== null && [step.rest, ...step.questions.map(({ ends }) => ends)].includes("forward");
}

/** How the step ends where the firewall surely says so. */
function endIn(policy: Policy, verdict: Verdict): EarlyEnd {
  if (verdict === "drop") return "drop";
  return verdict === "allow" && forwardsInXdp(policy) ? "forward" : "on";
}

/** Without those that never hold, and nothing behind the first that always does. */
function reached(questions: readonly EarlyQuestion[]): readonly EarlyQuestion[] {
  const possible = questions.filter(({ match }) => match.kind !== "const" || match.value);
  const last = possible.findIndex(isAlways);
  return last < 0 ? possible : possible.slice(0, last + 1);
}

function isAlways(question: EarlyQuestion | undefined): boolean {
  return question?.match.kind === "const" && question.match.value;
}

/** Where connections matter to a rule, one question for when it surely holds, and one for when it may. */
function questionsOf(
  rule: Rule,
  index: number,
  endOf: (verdict: Verdict) => EarlyEnd,
): readonly EarlyQuestion[] {
  const { surely, maybe } = boundsOf(rule.match, asksConnection);
  const { action } = rule;
  const ends = action.kind === "drop" || action.kind === "allow" ? endOf(action.kind) : "on";
  if (ends === "on") return [{ rule, index, match: maybe, ends }];
  const decided = { rule, index, match: surely, ends };
  return surely === maybe ? [decided] : [decided, { rule, index, match: maybe, ends: "on" }];
}

function asksConnection({ needs }: Test): boolean {
  return needs.header === "ct";
}

/** As the reference has it (semantics/early.ts): a stateful firewall judges whole datagrams. */
function fragment(span: Policy["span"]): Expr {
  const test = (field: WireField, low: bigint): Expr => {
    const needs = { header: field.header, bytes: bytesNeeded(field) };
    const ranges = [{ low, high: (1n << BigInt(field.width)) - 1n }];
    return { kind: "number", field, ranges, needs, span };
  };
  const operands = [test(WIRE_FIELDS["ip4.frag"], 1n), test(slice("fragment6", 0, 8), 0n)];
  return { kind: "or", operands, span };
}

/** Everything that the program asks of a packet: the rules of `mitigate`, then the early step. */
export function asked(policy: Policy): readonly Asked[] {
  const early = earlyStep(policy);
  const unasked = early?.unasked ? [{ match: early.unasked }] : [];
  return [...policy.mitigate, ...unasked, ...(early?.questions ?? [])];
}
