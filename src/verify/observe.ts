import type { Policy, Stage } from "../compiler/ir/policy.js";
import { countersOf, evaluate, type Trace } from "../compiler/semantics/evaluate.js";
import { newState, type State } from "../compiler/semantics/state.js";
import type { Session, SessionPacket } from "./session.js";

/** What can be seen from outside of a session's packets: their ends, and the counters that count them. */
export function tellsApart(session: Session, one: Policy, other: Policy): boolean {
  const [seen, also] = [remembered(session, one), observe(session, other)];
  return seen.some((text, index) => text !== also[index]);
}

/** A policy is held against hundreds of mutants, with the same few packets. */
const seenOf = new WeakMap<Policy, WeakMap<Session, readonly string[]>>();

function remembered(session: Session, policy: Policy): readonly string[] {
  const bySession = seenOf.get(policy) ?? new WeakMap<Session, readonly string[]>();
  seenOf.set(policy, bySession);
  const seen = bySession.get(session) ?? observe(session, policy);
  bySession.set(session, seen);
  return seen;
}

/** A limit's arithmetic must not run below zero. */
const START = 1n << 60n;
/** Copies at the end of a burst are judged one by one, so that a limit of one packet more or less shows. */
const JUDGED = 3;

function observe({ copies, packets }: Session, policy: Policy): readonly string[] {
  const [first] = packets;
  if (!first) return [];
  const state = newState();
  const skipped = skip(policy, first, state, copies - JUDGED);
  const left = new Array<SessionPacket>(copies - 1 - skipped).fill(first);
  return [...left, ...packets].map((packet) => textOf(judge(policy, packet, state)));
}

function judge(policy: Policy, { bytes, surroundings, after }: SessionPacket, state: State): Trace {
  return evaluate(policy, bytes, state, START + after, surroundings);
}

/**
 * As if `count` copies had come at once, if no limit on their way is smaller: then each adds the same to every arrival
 * time. Answers how many that were: a burst can be of ten thousand packets, and there are many mutants.
 */
function skip(policy: Policy, packet: SessionPacket, state: State, count: number): number {
  if (count < 1) return 0;
  const { steps } = judge(policy, packet, state);
  const least = steps.reduce((burst, { rule, outcome }) => {
    const limited = rule.action.kind === "limit" && outcome === "under";
    return limited && rule.action.limit.burst < burst ? rule.action.limit.burst : burst;
  }, BigInt(count));
  for (const [key, arrival] of state.arrivals) state.arrivals.set(key, START + (arrival - START) * least);
  return Number(least);
}

/** Of a packet that the kernel drops between the stages nobody sees what the second would have said. */
function textOf(trace: Trace): string {
  const counted = (stage: Stage) => [...countersOf(trace, stage)].sort().join();
  if (trace.gate) return `gate ${counted("mitigate")}`;
  return [
    trace.verdict,
    trace.stage,
    trace.where,
    trace.rule,
    trace.routes.map(({ tunnel, weight }) => `${tunnel}*${weight}`).join(),
    counted("mitigate"),
    counted("firewall"),
  ].join(" ");
}
