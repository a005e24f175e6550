import { emit } from "../../compiler/compile.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import type { Artifact } from "../../targets/target.js";
import type { Check } from "./compare.js";
import { comesToFirewall, expectedOfNft, expectedOfXdp, frozenFirewall, sharesState } from "./expected.js";
import { NftStage } from "./nft-stage.js";
import type { Scratch } from "./scratch.js";
import { smallerPackets } from "./smaller.js";
import { textOf, timedProgram } from "./xdp-program.js";
import { XdpStage } from "./xdp-stage.js";

/** What the policy's targets make of it; tests plant mistakes here. */
export type Emit = (policy: Policy) => readonly Artifact[];

/** A packet larger than this needs more than one buffer in a test run, which our programs do not ask for. */
const LARGEST_FRAME = 3400;

/** The policy's XDP program, with a clock that tells each packet's own time, against the reference. */
export async function checkOfXdp(policy: Policy, scratch: Scratch, emitted: Emit = emit): Promise<Check> {
  const stage = await XdpStage.load(scratch, {
    ...timedProgram(policy, emitted(policy)),
    rules: policy.mitigate.map(({ name }) => name),
    testClock: true,
    remembers: policy.mitigate.some(isLimit),
  });
  return {
    stage,
    asks: ({ bytes }) => bytes.length <= LARGEST_FRAME,
    expect: (packets) => expectedOfXdp(policy, packets),
    simpler: smallerPackets,
  };
}

/** The policy's firewall, with limits as `frozenFirewall` has them, against the reference. */
export function checksOfNft(policy: Policy, emitted: Emit = emit): Promise<readonly Check[]> {
  const kinds = policy.firewall.rules.some(isLimit)
    ? (["frozen", "generous"] as const)
    : (["frozen"] as const);
  return Promise.all(kinds.map((kind) => checkOfNft(policy, frozenFirewall(policy, kind), emitted)));
}

async function checkOfNft(policy: Policy, frozen: Policy, emitted: Emit): Promise<Check> {
  const { stateful, rules } = policy.firewall;
  const remembers = rules.some(isLimit);
  const stage = await NftStage.load({ ruleset: textOf(emitted(frozen), ".nft"), stateful, remembers });
  return {
    stage,
    asks: (packet) => comesToFirewall(policy, packet, sharesState(policy)),
    expect: (packets) => expectedOfNft(frozen, packets),
    simpler: smallerPackets,
  };
}

export function isLimit({ action }: Rule): boolean {
  return action.kind === "limit";
}
