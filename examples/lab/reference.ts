import type { Policy } from "../../src/compiler/ir/policy.js";
import { evaluate, evaluateReturn, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState, type State } from "../../src/compiler/semantics/state.js";
import { addCounters, type Counters } from "./counters.js";

/** What the reference says of a packet on a node with several customers. */
export interface Judgement {
  /** Whose policy judged it; null for a foreign or malformed packet. */
  readonly customer: string | null;
  readonly trace: Trace;
}

/** Docs/semantics.md, "Dispatch": the customer who owns the destination judges. Their prefixes do not overlap. */
export function judge(
  policies: readonly Policy[],
  packet: Uint8Array,
  state: State = newState(),
  now = 0n,
): Judgement {
  const judgements = policies.map((policy) => ({
    customer: policy.customer,
    trace: evaluate(policy, packet, state, now),
  }));
  const own = judgements.find(({ trace }) => trace.stage !== "root");
  const [first] = judgements;
  if (!first) throw new Error("there is no policy to ask");
  return own ?? { customer: null, trace: first.trace };
}

/** The counters that the packet moves where it is judged: docs/semantics.md, "Counters". */
export function predicted({ customer, trace }: Judgement): Counters {
  if (trace.stage === "root") return new Map([[`root/${trace.verdict}`, 1]]);
  const names = trace.decisions.map(({ stage, rule }) => `${customer} ${stage}/${rule ?? "default"}`);
  return new Map(names.map((name) => [name, 1]));
}

export function predictedSum(judgements: readonly Judgement[]): Counters {
  return judgements.map(predicted).reduce(addCounters, new Map<string, number>());
}

/** "allow · acme firewall, rule ftp → chicago". */
export function describeJudgement({ customer, trace }: Judgement): string {
  const { verdict, stage, rule, routes, reason } = trace;
  if (verdict === "malformed") return `malformed · ${reason}`;
  if (verdict === "foreign") return "foreign · left alone";
  const by = rule === null ? "by default" : `rule ${rule}`;
  const into = routes.length === 0 ? "" : ` → ${routes.map(({ tunnel }) => tunnel).join(" or ")}`;
  return `${verdict} · ${customer} ${stage}, ${by}${into}`;
}

/** What happens to a packet out of the customer's tunnel. */
export function judgeReturn(policies: readonly Policy[], customer: string, packet: Uint8Array): string {
  return evaluateReturn(policyOf(policies, customer), packet);
}

export function policyOf(policies: readonly Policy[], customer: string): Policy {
  const policy = policies.find((candidate) => candidate.customer === customer);
  if (!policy) throw new Error(`the demo has no policy of ${customer}`);
  return policy;
}
