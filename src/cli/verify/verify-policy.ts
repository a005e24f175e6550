import { emit } from "../../compiler/compile.js";
import type { Policy } from "../../compiler/ir/policy.js";
import {
  boundaryPackets,
  type MutantCounts,
  randomPackets,
  type TestPacket,
  witnessSuite,
} from "../../verify/packets.js";
import { referenceAnswer } from "./answers.js";
import { connectionsOf } from "./connections.js";
import { NftStage } from "./nft-stage.js";
import { checkOfXdp, checksOfNft, type Emit, isLimit } from "./policy-checks.js";
import { measureRate, type RateReport, rateProbes } from "./rates.js";
import { batches, runChecks, type Verified } from "./run-check.js";
import { Scratch } from "./scratch.js";
import { textOf } from "./xdp-program.js";

export interface VerifyOptions {
  /** How many to send: those that the policy's own constants and mutations ask for first, then random ones. */
  readonly packets: number;
  readonly seed: number;
  readonly onProgress: (what: string, done: number, of: number) => void;
  /** What the targets make of the policy. */
  readonly emit?: Emit;
}

/** Compiles a policy, loads it, and holds the kernel against the reference. */
export async function verifyPolicy(policy: Policy, options: VerifyOptions): Promise<Verified> {
  options.onProgress("choosing packets", 0, 1);
  const { packets, mutants } = choosePackets(policy, options.packets, options.seed);
  options.onProgress("loading", 0, 1);
  const scratch = await Scratch.start();
  const checks = [
    await checkOfXdp(policy, scratch, options.emit),
    ...(await checksOfNft(policy, options.emit)),
  ];
  try {
    const reference = (sequence: readonly TestPacket[]) => referenceAnswer(policy, sequence);
    const verified = await runChecks(checks, packets, reference, options.onProgress);
    return { ...verified, mutants, rates: await ratesOfNft(policy, packets, options.emit ?? emit) };
  } finally {
    for (const { stage } of checks) await stage.unload();
    await scratch.close();
  }
}

export interface Chosen {
  readonly packets: readonly TestPacket[];
  /** null: not all packets that tell them apart found room. */
  readonly mutants: MutantCounts | null;
}

/** First what tells the policy from its neighbours, then random packets up to the number. Times go on from one to the next. */
export function choosePackets(policy: Policy, count: number, seed: number): Chosen {
  const chosen: TestPacket[] = [];
  let origin = 0n;
  const add = (packets: Iterable<TestPacket>) => {
    let last = origin;
    for (const packet of packets) {
      if (chosen.length === count) break;
      last = origin + packet.at;
      chosen.push({ ...packet, at: last });
    }
    origin = last;
  };
  add(boundaryPackets(policy));
  const before = chosen.length;
  const suite = before < count ? witnessSuite(policy) : null;
  if (suite) add(suite.packets);
  const isWhole = suite !== null && chosen.length === before + suite.packets.length;
  if (chosen.length < count) add(randomPackets(policy, seed));
  return { packets: chosen, mutants: isWhole ? suite.mutants : null };
}

/** What a text says of connections may be what the kernel never finds: a limit is met only by packets as it sees them. */
async function asTracked(
  { firewall }: Policy,
  packets: readonly TestPacket[],
): Promise<readonly TestPacket[]> {
  if (!firewall.stateful) return packets;
  const tracked: TestPacket[][] = [];
  for (const batch of batches(packets)) tracked.push([...(await connectionsOf(batch))]);
  return tracked.flat();
}

/** XDP's limits were compared to the packet; nft's have the kernel's own clock, and so bounds. */
async function ratesOfNft(
  policy: Policy,
  packets: readonly TestPacket[],
  emitted: Emit,
): Promise<readonly RateReport[]> {
  if (!policy.firewall.rules.some(isLimit)) return [];
  const probes = rateProbes(policy, "firewall", await asTracked(policy, packets));
  if (probes.length === 0) return [];
  const ruleset = textOf(emitted({ ...policy, mitigate: [] }), ".nft");
  const stage = await NftStage.load({ ruleset, stateful: policy.firewall.stateful, remembers: true });
  try {
    const reports: RateReport[] = [];
    for (const probe of probes) reports.push(await measureRate(stage, probe));
    return reports;
  } finally {
    await stage.unload();
  }
}
