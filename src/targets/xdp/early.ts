import { boundsOf } from "../../compiler/ir/bounds.js";
import type { Expr, Test } from "../../compiler/ir/expr.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import { bytesNeeded, slice, WIRE_FIELDS, type WireField } from "../../compiler/ir/wire.js";
import type { Asked } from "./places.js";

/** The early step (docs/semantics.md): what of the firewall can be decided before the namespace. */

/**
 * A question of the early step. The first one that holds ends it: a packet that `drops` is dropped and counted under the
 * rule; any other goes on to the namespace, which judges it by all rules, and counts it.
 */
export interface EarlyQuestion extends Asked {
  /** The firewall's rule that it is about, and its place there. */
  readonly rule: Rule;
  readonly index: number;
  readonly drops: boolean;
}

export interface EarlyStep {
  readonly questions: readonly EarlyQuestion[];
  /** What holds for packets that are not asked at all and go on; null: all are asked. */
  readonly unasked: Expr | null;
  /** A packet that no question holds for is dropped by the firewall's default; else it goes on. */
  readonly dropsRest: boolean;
}

/** null: nothing is dropped early. */
export function earlyStep({ firewall, span }: Policy): EarlyStep | null {
  const { offload, rules, earlyRules = rules.length, stateful } = firewall;
  if (offload === "off") return null;
  const all = reached(rules.slice(0, earlyRules).flatMap(questionsOf));
  const dropsRest = firewall.default === "drop" && earlyRules >= rules.length && !isAlways(all.at(-1));
  // Behind the last drop everything goes on, asked or not.
  const questions = dropsRest ? all : all.slice(0, all.findLastIndex(({ drops }) => drops) + 1);
  if (!dropsRest && questions.length === 0) return null;
  return { questions, unasked: stateful ? fragment(span) : null, dropsRest };
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
function questionsOf(rule: Rule, index: number): readonly EarlyQuestion[] {
  const { surely, maybe } = boundsOf(rule.match, asksConnection);
  if (rule.action.kind !== "drop") return [{ rule, index, match: maybe, drops: false }];
  const drop = { rule, index, match: surely, drops: true };
  return surely === maybe ? [drop] : [drop, { rule, index, match: maybe, drops: false }];
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
