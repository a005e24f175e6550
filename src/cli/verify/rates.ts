import type { Policy, Rule, Stage } from "../../compiler/ir/policy.js";
import { decode } from "../../compiler/semantics/decode.js";
import { evaluate, type Step } from "../../compiler/semantics/evaluate.js";
import { owns } from "../../compiler/semantics/route.js";
import { newState } from "../../compiler/semantics/state.js";
import type { TestPacket } from "../../verify/packets.js";
import type { KernelStage } from "./stage.js";

/** A limit, and a packet that it judges. */
export interface RateProbe {
  readonly stage: Stage;
  readonly rule: string;
  readonly packet: TestPacket;
  readonly burst: bigint;
  /** Nanoseconds that one packet costs. */
  readonly interval: bigint;
}

/** How many of the same packet, sent at once, a limit let through by the kernel's own clock. */
export interface RateReport {
  readonly stage: Stage;
  readonly rule: string;
  readonly sent: number;
  readonly passed: number;
  readonly atLeast: number;
  readonly atMost: number;
}

/** A burst that is larger is met only in part: then all must pass. */
const MOST_PACKETS = 60_000;

/**
 * Sends more packets of one key than its burst; all that can be sent, where those came too slowly to be over the limit.
 */
export async function measureRate(
  kernel: Pick<KernelStage, "reset" | "rush">,
  probe: RateProbe,
): Promise<RateReport> {
  const { burst } = probe;
  const sent = Number(min(burst + burst / 4n + 64n, BigInt(MOST_PACKETS)));
  const report = await rushInto(kernel, probe, sent);
  return agreement(report) !== null || sent === MOST_PACKETS ? report : rushInto(kernel, probe, MOST_PACKETS);
}

/**
 * GCRA lets `burst` through at once, and one more for each interval that goes by meanwhile, so with a clock that is not ours
 * the count has bounds: what the reference says if no time passes, and if all of them came at the end of the run; and one
 * packet for the parts of an interval before and behind.
 */
async function rushInto(
  kernel: Pick<KernelStage, "reset" | "rush">,
  { stage, rule, packet, burst, interval }: RateProbe,
  sent: number,
): Promise<RateReport> {
  await kernel.reset();
  const { counted, seconds } = await kernel.rush(packet, sent);
  const elapsed = BigInt(Math.ceil(seconds * 1e9));
  const atMost = Number(min(burst + elapsed / interval + 1n, BigInt(sent)));
  const atLeast = Number(min(burst, BigInt(sent)));
  return { stage, rule, sent, passed: sent - (counted.get(rule) ?? 0), atLeast, atMost };
}

/** null: not to be told, as all that was sent might have passed; a limit that lets everything through would look the same. */
export function agreement({ sent, passed, atLeast, atMost }: RateReport): boolean | null {
  if (passed < atLeast || passed > atMost) return false;
  return atMost < sent ? true : null;
}

/**
 * For each limit of a stage the first packet that comes there and meets it, and no other limit there; limits that none
 * meets are left out.
 */
export function rateProbes(
  policy: Policy,
  stage: Stage,
  packets: readonly TestPacket[],
): readonly RateProbe[] {
  const rules = stage === "mitigate" ? policy.mitigate : policy.firewall.rules;
  const wanted = new Set(rules.filter(({ action }) => action.kind === "limit").map(({ name }) => name));
  const found = new Map<string, RateProbe>();
  for (const packet of packets) {
    if (found.size === wanted.size) break;
    const rule = onlyLimit(policy, stage, packet);
    if (rule?.action.kind !== "limit" || found.has(rule.name)) continue;
    const { burst, interval } = rule.action.limit;
    found.set(rule.name, { stage, rule: rule.name, packet, burst, interval });
  }
  return [...found.values()];
}

function onlyLimit(policy: Policy, stage: Stage, packet: TestPacket): Rule | undefined {
  const { bytes, surroundings } = packet;
  const decoded = decode(bytes);
  if (decoded.kind !== "packet" || !owns(policy, decoded.packet.destination)) return undefined;
  const alone = stage === "firewall" ? { ...policy, mitigate: [] } : policy;
  const { steps, gate } = evaluate(alone, bytes, newState(), packet.at, surroundings);
  if (stage === "firewall" && gate?.at === "arrival") return undefined;
  const met = steps.filter((step) => step.stage === stage && isLimited(step));
  return met.length === 1 ? met[0]?.rule : undefined;
}

function isLimited({ outcome }: Step): boolean {
  return outcome === "under" || outcome === "over";
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
