import { emit } from "../../compiler/compile.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import type { Artifact } from "../../targets/target.js";
import type { Form } from "../../targets/xdp/classifier/plan.js";
import type { Check } from "./compare.js";
import { comesToFirewall, expectedOfNft, expectedOfXdp, frozenFirewall, sharesState } from "./expected.js";
import { type NftBuild, NftStage } from "./nft-stage.js";
import type { Scratch } from "./scratch.js";
import { smallerPackets } from "./smaller.js";
import { textOf, timedProgram, type XdpProgram } from "./xdp-program.js";
import { type XdpBuild, XdpStage } from "./xdp-stage.js";

/** What the policy's targets make of it; tests plant mistakes here. */
export type Emit = (policy: Policy) => readonly Artifact[];

/** A packet larger than this needs more than one buffer in a test run, which our programs do not ask for. */
const LARGEST_FRAME = 3400;

/**
 * The policy's XDP program, with a clock that tells each packet's own time. `form`: how it
 * judges, where that is not for the compiler to choose.
 */
export function xdpBuild(policy: Policy, emitted: Emit = emit, form?: Form): XdpBuild {
  return timedBuild(policy, timedProgram(policy, emitted(policy), form));
}

/** The same of a program that was compiled with that clock. */
export function timedBuild({ mitigate }: Policy, program: XdpProgram): XdpBuild {
  return { ...program, testClock: true, remembers: mitigate.some(isLimit) };
}

/** What is loaded of the policy's `xdpBuild`, against the reference. */
export function xdpCheck(policy: Policy, stage: XdpStage): Check {
  return {
    stage,
    asks: ({ bytes }) => bytes.length <= LARGEST_FRAME,
    expect: (packets) => expectedOfXdp(policy, packets),
    simpler: smallerPackets,
  };
}

/** The firewalls that `frozenFirewall` makes of a policy; without limits they are the same. */
export function frozenKinds({ firewall }: Policy): readonly Parameters<typeof frozenFirewall>[1][] {
  return firewall.rules.some(isLimit) ? ["frozen", "generous"] : ["frozen"];
}

/** The ruleset of a firewall that `frozenFirewall` made. */
export function nftBuild(frozen: Policy, emitted: Emit = emit): NftBuild {
  const { stateful, rules } = frozen.firewall;
  return { ruleset: textOf(emitted(frozen), ".nft"), stateful, remembers: rules.some(isLimit) };
}

/** What is loaded of such a firewall's `nftBuild`, against the reference. */
export function nftCheck(frozen: Policy, stage: NftStage): Check {
  const share = sharesState(frozen);
  return {
    stage,
    asks: (packet) => comesToFirewall(frozen, packet, share),
    expect: (packets) => expectedOfNft(frozen, packets),
    simpler: smallerPackets,
  };
}

export async function checkOfXdp(policy: Policy, scratch: Scratch, emitted?: Emit): Promise<Check> {
  return xdpCheck(policy, await XdpStage.load(scratch, xdpBuild(policy, emitted)));
}

export function checksOfNft(policy: Policy, emitted?: Emit): Promise<readonly Check[]> {
  const firewalls = frozenKinds(policy).map((kind) => frozenFirewall(policy, kind));
  return Promise.all(
    firewalls.map(async (frozen) => nftCheck(frozen, await NftStage.load(nftBuild(frozen, emitted)))),
  );
}

export function isLimit({ action }: Rule): boolean {
  return action.kind === "limit";
}
