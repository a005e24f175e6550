import fc from "fast-check";
import { type Miscount, mismatches } from "../../src/cli/verify/compare.js";
import type { StageName } from "../../src/cli/verify/stage.js";
import { packetText } from "../../src/compiler/analysis/packets/plain-text.js";
import { forwardsInXdp, type Policy } from "../../src/compiler/ir/policy.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { policyIn, type WrittenPolicy, writtenPolicies } from "../support/language-arbitrary.js";
import { type Cell, SENT } from "./coverage.js";
import { disagree, disagreeing, type Judgement, type Kernel } from "./kernel.js";
import { aimedFrom, type Supply, supplyFor } from "./packets.js";
import { compareWords, type WordsMismatch } from "./words.js";

/** Policies are made in blocks, so that any of them can be made again without all those before it. */
export const BLOCK = 20;

/** Packets that the kernel's keys of limits have room for, many times (docs/semantics.md, "Limits"). */
export const PACKETS = 1850;

/** So many of a policy's packets are also held against its words. */
const WITH_WORDS = 160;

const TEMPLATES = 6000;

/** One random policy and its place in the run. */
export interface Case {
  readonly written: WrittenPolicy;
  /** Of its block. */
  readonly seed: number;
  /** In its block. */
  readonly index: number;
}

/** The policies of a block. */
export function casesOf(seed: number, block: number): readonly Case[] {
  const blockSeed = (Math.imul(seed, 1_000_003) + block) | 0;
  const written = fc.sample(writtenPolicies, { seed: blockSeed, numRuns: BLOCK });
  return written.map((one, index) => ({ written: one, seed: blockSeed, index }));
}

/** What became of one policy. */
export interface Trial {
  readonly policy: Policy;
  readonly packets: readonly TestPacket[];
  /** Packets that the reference, XDP and nftables judged. */
  readonly judged: number;
  readonly cells: readonly Cell[];
  readonly judgements: readonly Judgement[];
  readonly misread: readonly WordsMismatch[];
}

/** Tries policies, all of which own the same prefixes. */
export class Tries {
  readonly #kernel: Kernel;
  readonly #count: number;
  #supply: Supply | null = null;

  constructor(kernel: Kernel, count = PACKETS) {
    this.#kernel = kernel;
    this.#count = count;
  }

  /** undefined: the compiler refuses the policy, as it should. */
  async try(written: WrittenPolicy, seed: number): Promise<Trial | undefined> {
    const policy = policyIn(written);
    if (!policy) return undefined;
    this.#supply ??= supplyFor(withoutRules(policy), TEMPLATES, TEMPLATES);
    return this.#judge(written, policy, aimedFrom(this.#supply, policy, this.#count, seed));
  }

  /** Another policy with the packets of a trial that failed, where it failed. */
  async again(written: WrittenPolicy, { packets, judgements }: Trial): Promise<Trial | undefined> {
    const policy = policyIn(written);
    return policy && this.#judge(written, policy, packets, disagreeing(judgements));
  }

  async #judge(
    written: WrittenPolicy,
    policy: Policy,
    packets: readonly TestPacket[],
    stages?: readonly StageName[],
  ): Promise<Trial> {
    const judgements = await this.#kernel.judge(policy, packets, stages);
    const judged = Math.min(...judgements.map((one) => one.judged));
    const met = judgements.find(({ stage }) => stage === "nft")?.difference.met ?? packets;
    const words = compareWords(written, policy, {
      mitigate: packets.slice(0, WITH_WORDS),
      firewall: met.slice(0, WITH_WORDS),
    });
    const cells = [...words.cells, ...waysOf(policy, packets.slice(0, WITH_WORDS))];
    return { policy, packets, judged, cells, judgements, misread: words.wrong };
  }
}

/** How packets go on that the policy lets XDP send into tunnels. */
function waysOf(policy: Policy, packets: readonly TestPacket[]): readonly Cell[] {
  if (!forwardsInXdp(policy)) return [];
  const traces = packets.map(({ bytes, at, surroundings }) =>
    evaluate(policy, bytes, newState(), at, surroundings),
  );
  const rows = traces.flatMap(({ where, verdict, slow }) =>
    where === "xdp" && verdict === "allow" ? [SENT] : (slow ?? []),
  );
  return [...new Set(rows)].map((row) => ({ stage: "mitigate", row, column: "way" }));
}

function withoutRules(policy: Policy): Policy {
  return { ...policy, mitigate: [], firewall: { ...policy.firewall, rules: [] } };
}

export function failed({ judgements, misread }: Trial): boolean {
  return misread.length > 0 || disagree(judgements);
}

/** Lines that say where the kernel, or the words, differ from the reference. */
export function describeTrial({ judgements, misread }: Trial): readonly string[] {
  return [
    ...misread
      .slice(0, 3)
      .map(
        ({ packet, rule, holds }) =>
          `words: ${rule} ${holds ? "holds" : "does not hold"} for ${packetText(packet)}`,
      ),
    ...judgements.flatMap(({ stage, difference }) => [
      ...(mismatches(difference) > 0 ? [`${stage}: ${mismatches(difference)} packets`] : []),
      ...difference.verdicts
        .slice(0, 3)
        .map(
          ({ packet, expected, verdict }) =>
            `${stage}: ${verdict} instead of ${expected.verdict}: ${packetText(packet)}`,
        ),
      ...difference.counts.slice(0, 3).map((one) => `${stage}: ${miscount(one)}`),
    ]),
  ];
}

function miscount({ counter, counted, expected }: Miscount): string {
  return `${counter} counted ${counted} instead of ${expected}`;
}
