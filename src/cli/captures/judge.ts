import type { Policy } from "../../compiler/ir/policy.js";
import { decode } from "../../compiler/semantics/decode.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { forgetIdle, newState, type State } from "../../compiler/semantics/state.js";
import { type Doubt, doubtOf, isFragment } from "./certain.js";
import type { CapturedIp, CapturedPacket } from "./packets.js";
import type { Outcome } from "./tally.js";

/** A packet of a capture, and what becomes of it. */
export interface Judged {
  readonly packet: CapturedPacket;
  readonly outcome: Outcome;
  /** null where there is no verdict: it is no IP packet, or bytes that matter were not captured. */
  readonly trace: Trace | null;
  /** Only with `unclear`: what cannot be told; null where even the link's header is not whole. */
  readonly doubt: Doubt | null;
  /** The packet's own length in bytes, or the frame's where there is none. */
  readonly length: number;
}

/** So many keys of limits are kept without a thought to memory. */
const FEW_KEYS = 100_000;

interface Context {
  readonly policy: Policy;
  readonly state: State;
  /** A stateful firewall has seen a fragment that was cut: of no fragment since is it known what it completes. */
  spoiled: boolean;
}

/** Judges packets one after the other, each at its time. An unclear packet takes the allowance of the limits that it passes. */
export function* judgeCapture(policy: Policy, packets: Iterable<CapturedPacket>): Generator<Judged> {
  const context = { policy, state: newState(), spoiled: false };
  const { arrivals } = context.state;
  let bound = FEW_KEYS;
  for (const packet of packets) {
    yield packet.kind === "ip" ? judgeIp(packet, context) : withoutIp(packet);
    if (arrivals.size < bound) continue;
    forgetIdle(context.state, packet.at);
    bound = Math.max(FEW_KEYS, 2 * arrivals.size);
  }
}

function withoutIp(packet: CapturedPacket): Judged {
  const outcome = packet.kind === "cut" ? "unclear" : "notIp";
  return { packet, outcome, trace: null, doubt: null, length: packet.length };
}

function judgeIp(packet: CapturedPacket & CapturedIp, context: Context): Judged {
  const { policy, state } = context;
  const { bytes, surroundings, family, at } = packet;
  const trace = evaluate(policy, bytes, state, at, surroundings, family);
  const decoded = decode(bytes, family, surroundings);
  const length = decoded.kind === "packet" ? decoded.packet.bytes.length : bytes.length;
  let doubt = doubtOf(policy, packet, decoded, trace);
  if (policy.firewall.stateful && decoded.kind === "packet" && isFragment(decoded.packet)) {
    context.spoiled ||= doubt !== null;
    if (context.spoiled) doubt ??= { rule: null };
  }
  if (doubt) return { packet, outcome: "unclear", trace: null, doubt, length };
  return { packet, outcome: trace.gate ? "gate" : trace.verdict, trace, doubt, length };
}
