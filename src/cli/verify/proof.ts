import { z } from "zod";
import { packetText } from "../../compiler/analysis/packets/plain-text.js";
import { formatAddress } from "../../compiler/ir/address.js";
import { CT_STATES } from "../../compiler/ir/fields.js";
import { forwardsInXdp, isSentFromXdp, type Policy, type Tunnel } from "../../compiler/ir/policy.js";
import { evaluate, evaluateFrame, type Trace } from "../../compiler/semantics/evaluate.js";
import { parsePacket } from "../../compiler/semantics/packet-text.js";
import { newState, type State } from "../../compiler/semantics/state.js";
import { boundaryPackets, type TestPacket } from "../../verify/packets.js";
import { spread } from "../../verify/spread.js";
import { comesToFirewall, ofNft, ofXdp, sharesState, withoutXdp } from "./expected.js";
import { frameOf } from "./frame.js";
import { rateProbes } from "./rates.js";

/**
 * `proof/packets.json` of a bundle: what the reference says of the policy's boundary packets, so that any machine can hold
 * its kernel and the bundle's own files against it without the policy. Packets are sent in this order; those that would be
 * over a limit are left out, so that no verdict depends on how much time goes by.
 */
export const PROOF_FILE = "proof/packets.json";

const SCHEMA = 1;

/** The verdict, and the counters that count the packet. */
const expected = z.tuple([z.enum(["pass", "drop", "forward", "unreached"])], z.string());

const row = z.strictObject({
  packet: z.string(),
  why: z.string(),
  /** Of the whole policy, as `tidegate explain` says it. */
  verdict: z.enum(["allow", "drop", "reject", "foreign", "malformed"]),
  stage: z.enum(["root", "mitigate", "firewall", "route"]),
  rule: z.string().nullable(),
  xdp: expected,
  /** By what the kernel says of the connection; null: the firewall is not asked. */
  nft: z
    .strictObject({ new: expected, invalid: expected.optional(), untracked: expected.optional() })
    .nullable(),
});

const limit = z.strictObject({
  stage: z.enum(["mitigate", "firewall"]),
  rule: z.string(),
  packet: z.string(),
  burst: z.string().regex(/^\d+$/),
  /** Nanoseconds. */
  interval: z.string().regex(/^\d+$/),
});

/** A tunnel that packets may be sent into from XDP. */
const tunnel = z.strictObject({
  name: z.string(),
  remote: z.string(),
  ttl: z.int().min(1).max(255),
  key: z.int().min(0).max(0xffff_ffff).nullable(),
});

export const proofSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  stateful: z.boolean(),
  /** Absent: none. */
  tunnels: z.array(tunnel).optional(),
  limits: z.array(limit),
  packets: z.array(row),
});

export type Proof = z.infer<typeof proofSchema>;
export type ProofRow = z.infer<typeof row>;

/** What the reference says of the policy's boundary packets. Same policy, same proof. */
export function proofOf(policy: Policy): Proof {
  const written = writtenPackets(policy);
  const packets = written.map(({ packet }) => packet);
  const textOf = new Map(written.map(({ packet, text }) => [packet, text]));
  const states = { xdp: newState(), nft: newState() };
  const limits = (["mitigate", "firewall"] as const).flatMap((stage) => rateProbes(policy, stage, packets));
  const tunnels = forwardsInXdp(policy) ? policy.tunnels.filter(isSentFromXdp) : [];
  return {
    schema: SCHEMA,
    stateful: policy.firewall.stateful,
    ...(tunnels.length > 0 && { tunnels: tunnels.map(tunnelRow) }),
    limits: limits.map(({ stage, rule, packet, burst, interval }) => ({
      ...{ stage, rule, packet: textOf.get(packet) ?? "", burst: `${burst}`, interval: `${interval}` },
    })),
    packets: written.flatMap((one) => rowOf(policy, one, states) ?? []),
  };
}

function tunnelRow({ name, remote, ttl, key }: Tunnel): z.infer<typeof tunnel> {
  return { name, remote: formatAddress(remote), ttl: Number(ttl), key };
}

/** Of a larger policy, so many rules of each stage, spread over it, say which packets are of interest. */
const MOST_RULES = 64;
/** Rules times packets: what a compilation has time to judge. */
const MOST_TRIALS = 400_000;
const FEWEST_PACKETS = 256;

interface WrittenPacket {
  readonly text: string;
  /** As the text says it. */
  readonly packet: TestPacket;
}

function writtenPackets(policy: Policy): readonly WrittenPacket[] {
  const { mitigate, firewall } = policy;
  const few = {
    ...{ ...policy, mitigate: spread(mitigate, MOST_RULES) },
    firewall: { ...firewall, rules: spread(firewall.rules, MOST_RULES) },
  };
  const written = boundaryPackets(few).flatMap((packet) => {
    const text = packetText(packet);
    return packetOfText(text, packet.why).map((one) => ({ text, packet: one }));
  });
  const different = [...new Map(written.map((one) => [one.text, one])).values()];
  const most = Math.floor(MOST_TRIALS / Math.max(1, mitigate.length + firewall.rules.length));
  return spread(different, Math.max(FEWEST_PACKETS, most));
}

/** One row a line, so that two proofs can be compared line by line. */
export function formatProof({ packets, ...head }: Proof): string {
  const rows = packets.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  const start = JSON.stringify(head, null, 2).replace(/\n}$/, "");
  return `${start},\n  "packets": [\n${rows}\n  ]\n}\n`;
}

/** None where the text is none that `tidegate explain --packet` reads. */
export function packetOfText(text: string, why: string): readonly TestPacket[] {
  const parsed = parsePacket(text);
  if (parsed.kind === "problems") return [];
  return [{ bytes: parsed.bytes, surroundings: parsed.surroundings, at: 0n, why }];
}

interface States {
  readonly xdp: State;
  readonly nft: State;
}

function rowOf(policy: Policy, { packet, text }: WrittenPacket, states: States): ProofRow | undefined {
  const early = evaluateFrame(policy, frameOf(packet), states.xdp, 0n);
  const late = firewallTraces(policy, packet, states.nft);
  if ([early, ...Object.values(late ?? {})].some(isOver)) return undefined;
  const { verdict, stage, rule } = wholeTrace(policy, packet, early, late);
  return {
    packet: text,
    why: packet.why,
    ...{ verdict, stage, rule },
    xdp: tuple(ofXdp(early)),
    nft: late && {
      new: tuple(ofNft(late.new)),
      ...(late.invalid && { invalid: tuple(ofNft(late.invalid)) }),
      ...(late.untracked && { untracked: tuple(ofNft(late.untracked)) }),
    },
  };
}

/** Of both stages together; where each was asked, no limit was over, and so they say the same. */
function wholeTrace(policy: Policy, packet: TestPacket, early: Trace, late: FirewallTraces | null): Trace {
  if (early.where === "xdp") return early;
  return late?.new ?? evaluate(policy, packet.bytes, newState(), 0n, packet.surroundings);
}

interface FirewallTraces {
  readonly new: Trace;
  readonly invalid?: Trace;
  readonly untracked?: Trace;
}

/** What the firewall alone says; null where it is not asked, and of parts of datagrams, which depend on one another. */
function firewallTraces(policy: Policy, packet: TestPacket, state: State): FirewallTraces | null {
  if (!comesToFirewall(policy, packet, sharesState(policy))) return null;
  const alone = withoutXdp(policy);
  const trace = (connection: number, before: State) =>
    evaluate(alone, packet.bytes, before, 0n, { ...packet.surroundings, connection });
  if (!policy.firewall.stateful) return { new: trace(CT_STATES.new, state) };
  if (trace(CT_STATES.new, newState()).held) return null;
  // All of them take from the same allowances: more than the one that comes true.
  return {
    ...{ new: trace(CT_STATES.new, state), invalid: trace(CT_STATES.invalid, state) },
    untracked: trace(CT_STATES.untracked, state),
  };
}

function isOver({ steps }: Trace): boolean {
  return steps.some(({ outcome }) => outcome === "over");
}

function tuple({ verdict, counted }: ReturnType<typeof ofNft>): ProofRow["xdp"] {
  return [verdict, ...counted];
}
