import { assertNever } from "../diagnostics/invariant.js";
import type { Family } from "../ir/address.js";
import type { Policy, Route, Rule, Stage, Verdict } from "../ir/policy.js";
import { wholeDatagram } from "./datagram.js";
import {
  ALONE,
  type Decoded,
  decode,
  type MalformedReason,
  type Packet,
  type Surroundings,
} from "./decode.js";
import { dropsEarly } from "./early.js";
import { stepOverEthernet } from "./ethernet.js";
import { fastPath } from "./forward.js";
import { type Gate, gateOf } from "./gates.js";
import { takeAllowance } from "./gcra.js";
import { type Miss, matches, whyNot } from "./match.js";
import { isProbeAnswer } from "./probe-answer.js";
import { chooseRoutes, owns } from "./route.js";
import { newState, type State } from "./state.js";

/**
 * One rule that was tried. `over`: the limit dropped the packet. `under`: the limit let it go on to the next rule, which
 * `count` and `log` always do.
 */
export interface Step {
  readonly stage: Stage;
  readonly rule: Rule;
  readonly outcome: Verdict | "over" | "under" | "count" | "log" | "miss";
  /** Only with `miss`: what was false. */
  readonly miss: Miss | null;
}

/** How a stage that the packet reached ended; `rule` null: its default decided. */
export interface Decision {
  readonly stage: Stage;
  readonly rule: string | null;
  readonly verdict: Verdict;
}

/** What happens to one packet, and why. */
export interface Trace {
  readonly verdict: Verdict | "foreign" | "malformed";
  /** Where the verdict fell: `root` for foreign and malformed packets, `route` for one without a route. */
  readonly stage: "root" | "mitigate" | "firewall" | "route";
  /**
   * Which of the two dropped the packet, or let it go on at last: a firewall's drop may be made in XDP already, and on the
   * fast path so is the whole way into the tunnel.
   */
  readonly where: "xdp" | "namespace";
  /** The rule that decided, or null: the stage's default. */
  readonly rule: string | null;
  /** Only of an allowed packet: the routes that it may take, of which the kernel chooses one. */
  readonly routes: readonly Route[];
  /** Only with `malformed`. */
  readonly reason: MalformedReason | null;
  /**
   * Where the kernel drops the packet between the two stages, whatever the policy says; null: nowhere. What follows
   * `mitigate` is then what would be if the packet came that far, and alone.
   */
  readonly gate: Gate | null;
  /** A part of a datagram, of which a stateful firewall awaits the rest: dropped there, before its rules. */
  readonly held: boolean;
  /** Why it does not take the fast path that its policy has; null: its policy has none, or it takes it. */
  readonly slow: string | null;
  readonly decisions: readonly Decision[];
  readonly steps: readonly Step[];
}

/**
 * The meaning of a policy: docs/semantics.md as a function. `bytes` start at the IP header; `now` is in
 * nanoseconds and only limits ask for it; `surroundings` is what is known besides the bytes; `family` is what the frame
 * announces, and without one the packet's version decides. Total: any bytes have a verdict.
 */
export function evaluate(
  policy: Policy,
  bytes: Uint8Array,
  state: State,
  now: bigint,
  surroundings: Surroundings = ALONE,
  family?: Family,
): Trace {
  return evaluateDecoded(policy, decode(bytes, family, surroundings), state, now);
}

/** The same for a whole Ethernet frame, as XDP sees it: a frame without IP is foreign, left alone. */
export function evaluateFrame(policy: Policy, frame: Uint8Array, state: State, now: bigint): Trace {
  const carried = stepOverEthernet(frame);
  if (!carried) return atRoot("foreign");
  const surroundings = { ...ALONE, vlan: carried.vlan };
  return evaluateDecoded(policy, decode(carried.bytes, carried.family, surroundings), state, now);
}

function evaluateDecoded(policy: Policy, decoded: Decoded, state: State, now: bigint): Trace {
  if (decoded.kind === "malformed") return { ...atRoot("malformed"), reason: decoded.reason };
  return judge(policy, decoded.packet, state, now);
}

function judge(policy: Policy, packet: Packet, state: State, now: bigint): Trace {
  if (!owns(policy, packet.destination)) return atRoot("foreign");

  const context: Context = { policy, packet, state, now, steps: [] };
  const mitigate = decide("mitigate", policy.mitigate, "allow", context);
  if (mitigate.verdict === "drop") return { ...traced(mitigate, [mitigate], context), where: "xdp" };
  if (dropsEarly(policy, packet)) {
    const firewall = decideFirewall(context);
    return { ...traced(firewall, [mitigate, firewall], context), where: "xdp" };
  }

  const fast = fastPath(policy, packet);
  if (fast !== null && typeof fast !== "string") {
    const firewall = decideFirewall(context);
    return { ...traced(firewall, [mitigate, firewall], context), where: "xdp", routes: [fast] };
  }

  const gate = gateOf(packet);
  const passed = gate === null ? context : { ...context, state: newState() };
  return { ...judgeBehindGates(mitigate, passed), gate, slow: fast };
}

function judgeBehindGates(mitigate: Decision, context: Context): Trace {
  const { policy, packet, state, now } = context;
  const judged = policy.firewall.stateful ? wholeDatagram(packet, state.datagrams, now) : packet;
  if (!judged) return held(mitigate, context);

  const firewall = decideFirewall({ ...context, packet: judged });
  const decisions = [mitigate, firewall];
  if (firewall.verdict !== "allow") return traced(firewall, decisions, context);

  const routes = chooseRoutes(policy, packet.destination);
  if (routes.length > 0) return { ...traced(firewall, decisions, context), routes };
  return traced({ stage: "route", rule: null, verdict: "drop" }, decisions, context);
}

/**
 * What happens to a packet that comes out of a customer's tunnel: only its own sources go on (BCP 38), and answers to what the
 * edge asked.
 */
export function evaluateReturn(policy: Policy, bytes: Uint8Array): "passed" | "spoofed" | "malformed" {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return "malformed";
  const { packet } = decoded;
  return owns(policy, packet.source) || isProbeAnswer(policy, packet) ? "passed" : "spoofed";
}

interface Context {
  readonly policy: Policy;
  readonly packet: Packet;
  readonly state: State;
  readonly now: bigint;
  readonly steps: Step[];
}

function decideFirewall(context: Context): Decision {
  const { rules, default: byDefault } = context.policy.firewall;
  return decide("firewall", rules, byDefault, context);
}

/** The first terminal rule that matches decides its stage; without one, the stage's default does. */
function decide(stage: Stage, rules: readonly Rule[], byDefault: Verdict, context: Context): Decision {
  for (const rule of rules) {
    const step = tryRule(stage, rule, context);
    context.steps.push(step);
    const verdict = verdictOf(step.outcome);
    if (verdict) return { stage, rule: rule.name, verdict };
  }
  return { stage, rule: null, verdict: byDefault };
}

/** null: on to the next rule. */
function verdictOf(outcome: Step["outcome"]): Verdict | null {
  switch (outcome) {
    case "allow":
    case "drop":
    case "reject":
      return outcome;
    case "over":
      return "drop";
    case "under":
    case "count":
    case "log":
    case "miss":
      return null;
    default:
      return assertNever(outcome);
  }
}

function tryRule(stage: Stage, rule: Rule, { policy, packet, state, now }: Context): Step {
  if (!matches(rule.match, packet, policy.lists)) {
    return new Missed(stage, rule, packet, policy.lists);
  }
  const { action } = rule;
  const outcome =
    action.kind === "limit" ? takeAllowance(state, rule.name, action.limit, packet, now) : action.kind;
  return { stage, rule, outcome, miss: null };
}

/** Why the rule missed is worked out when it is asked for: most packets are judged, and few explained. */
class Missed implements Step {
  readonly outcome = "miss";
  readonly #packet: Packet;
  readonly #lists: Policy["lists"];

  constructor(
    readonly stage: Stage,
    readonly rule: Rule,
    packet: Packet,
    lists: Policy["lists"],
  ) {
    this.#packet = packet;
    this.#lists = lists;
  }

  get miss(): Miss {
    return whyNot(this.rule.match, this.#packet, this.#lists);
  }
}

function traced(
  { stage, rule, verdict }: Pick<Trace, "stage" | "rule" | "verdict">,
  decisions: readonly Decision[],
  { steps }: Context,
): Trace {
  const where = "namespace";
  const nothing = { routes: [], reason: null, gate: null, held: false, slow: null };
  return { verdict, stage, where, rule, ...nothing, decisions, steps };
}

function held(mitigate: Decision, context: Context): Trace {
  const dropped = { stage: "firewall", rule: null, verdict: "drop" } as const;
  return { ...traced(dropped, [mitigate], context), held: true };
}

function atRoot(verdict: "foreign" | "malformed"): Trace {
  const nothing = {
    rule: null,
    routes: [],
    reason: null,
    gate: null,
    held: false,
    slow: null,
    decisions: [],
    steps: [],
  };
  return { verdict, stage: "root", where: "xdp", ...nothing };
}

/** The counters of a stage that count the packet, in their order: rules by name, and null for the stage's default. */
export function countersOf({ decisions, steps }: Trace, stage: Stage): readonly (string | null)[] {
  const passed = steps.filter(({ outcome }) => outcome === "count" || outcome === "log");
  return [
    ...passed.filter((step) => step.stage === stage).map(({ rule }) => rule.name),
    ...decisions.filter((decision) => decision.stage === stage).map(({ rule }) => rule),
  ];
}
