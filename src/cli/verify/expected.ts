import type { Policy } from "../../compiler/ir/policy.js";
import { decode } from "../../compiler/semantics/decode.js";
import type { OuterHeader } from "../../compiler/semantics/encapsulate.js";
import { countersOf, evaluate, evaluateFrame, type Trace } from "../../compiler/semantics/evaluate.js";
import { gateOf } from "../../compiler/semantics/gates.js";
import { owns } from "../../compiler/semantics/route.js";
import { newState } from "../../compiler/semantics/state.js";
import type { TestPacket } from "../../verify/packets.js";
import { frameOf, sentFrame } from "./frame.js";
import {
  DEFAULT,
  DISPATCHED,
  type Expected,
  FIREWALL_DEFAULT,
  FOREIGN,
  MALFORMED,
  sentInto,
} from "./stage.js";

/** What the reference expects of XDP: root program, mitigate stage and early step, each packet at its own time. */
export function expectedOfXdp(policy: Policy, packets: readonly TestPacket[]): readonly Expected[] {
  const state = newState();
  return packets.map((packet) => {
    const trace = evaluateFrame(policy, frameOf(packet), state, packet.at);
    return withFrame(ofXdp(trace), packet, tunnelOf(policy, trace));
  });
}

/** With the frame that leaves by the tunnel, if one does. */
export function withFrame(expected: Expected, packet: TestPacket, tunnel: OuterHeader | undefined): Expected {
  return expected.verdict === "forward" && tunnel
    ? { ...expected, sent: sentFrame(packet, tunnel) }
    : expected;
}

function tunnelOf({ tunnels }: Policy, { routes: [route] }: Trace): OuterHeader | undefined {
  return tunnels.find(({ name }) => name === route?.tunnel);
}

/** What XDP should do with a packet, given its trace through the whole policy. */
export function ofXdp(trace: Trace): Expected {
  switch (trace.verdict) {
    case "malformed":
      return { verdict: "drop", counted: [MALFORMED] };
    case "foreign":
      return { verdict: "pass", counted: [FOREIGN] };
    default: {
      const counted = [DISPATCHED, ...counters(trace, "mitigate")];
      if (trace.where === "namespace") return { verdict: "pass", counted };
      const verdict = trace.verdict === "allow" ? "forward" : "drop";
      const into = trace.routes.map(({ tunnel }) => sentInto(tunnel));
      return { verdict, counted: [...counted, ...earlyCounters(trace), ...into] };
    }
  }
}

/** What the reference expects of the firewall alone, given the policy that `frozenFirewall` makes. */
export function expectedOfNft(frozen: Policy, packets: readonly TestPacket[]): readonly Expected[] {
  const state = newState();
  return packets.map(({ bytes, surroundings }) => ofNft(evaluate(frozen, bytes, state, 0n, surroundings)));
}

/** What the firewall should do with a packet, given its trace through a policy that `withoutXdp` made. */
export function ofNft(trace: Trace): Expected {
  if (trace.gate?.at === "arrival") return { verdict: "unreached", counted: [] };
  const passed = trace.verdict === "allow" || trace.stage === "route";
  return { verdict: passed ? "pass" : "drop", counted: counters(trace, "firewall") };
}

/** What the firewall says of a packet may depend on those before it. */
export function sharesState({ firewall }: Policy): boolean {
  return firewall.stateful || firewall.rules.some(({ action }) => action.kind === "limit");
}

/**
 * XDP stands before the namespace: only well-formed packets to the customer come there. What a node would not forward
 * comes to these hooks, and not to those of an edge server: it may be asked about, but must not use up what others `share`.
 */
export function comesToFirewall(policy: Policy, { bytes }: TestPacket, share: boolean): boolean {
  const decoded = decode(bytes);
  if (decoded.kind !== "packet" || !owns(policy, decoded.packet.destination)) return false;
  return !share || gateOf(decoded.packet)?.at !== "forwarding";
}

const HOUR = 3_600_000_000_000n;
/** The passes hold interval times burst below this (ns). */
const LONGEST = 1n << 62n;

/** More than any batch of packets. */
const GENEROUS = 1n << 20n;

/**
 * The firewall alone, with limits that do not fill up again while packets are sent: nft's clock is the real one, and at one
 * packet an hour it is as good as stopped. `generous`: and that no batch uses up, for the rules behind them.
 */
export function frozenFirewall(policy: Policy, kind: "frozen" | "generous"): Policy {
  const rules = policy.firewall.rules.map((rule) => {
    if (rule.action.kind !== "limit") return rule;
    const { limit } = rule.action;
    const burst = kind === "generous" || HOUR * limit.burst >= LONGEST ? GENEROUS : limit.burst;
    const action = { kind: "limit", limit: { ...limit, burst, interval: HOUR, rate: HOURLY } } as const;
    return { ...rule, action };
  });
  return withoutXdp({ ...policy, firewall: { ...policy.firewall, rules } });
}

/** The firewall gets all packets, as if nothing stood before it: also those that its second line never meets. */
export function withoutXdp(policy: Policy): Policy {
  return { ...policy, mitigate: [], firewall: { ...policy.firewall, offload: "off" } };
}

const HOURLY = { count: 1, unit: "h" } as const;

/** The stages' defaults share one name, and XDP counts both. */
function earlyCounters(trace: Trace): readonly string[] {
  return countersOf(trace, "firewall").map((rule) => rule ?? FIREWALL_DEFAULT);
}

function counters(trace: Trace, stage: "mitigate" | "firewall"): readonly string[] {
  return countersOf(trace, stage).map((rule) => rule ?? DEFAULT);
}
