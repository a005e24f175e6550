import { type Check, type Difference, difference, differs } from "../../src/cli/verify/compare.js";
import { frozenFirewall } from "../../src/cli/verify/expected.js";
import { NftStage } from "../../src/cli/verify/nft-stage.js";
import { frozenKinds, nftBuild, nftCheck, timedBuild, xdpCheck } from "../../src/cli/verify/policy-checks.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import type { StageName } from "../../src/cli/verify/stage.js";
import { programOf, textOf } from "../../src/cli/verify/xdp-program.js";
import { XdpStage } from "../../src/cli/verify/xdp-stage.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { nft } from "../../src/targets/nft/target.js";
import { xdp } from "../../src/targets/xdp/target.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { ClangServer } from "./clang-server.js";

/** What one stage in the kernel made of packets, held against the reference. */
export interface Judgement {
  readonly stage: StageName;
  /** The packets that the stage was asked about, those that never reached its hooks apart. */
  readonly judged: number;
  readonly difference: Difference;
}

/**
 * Both stages in the kernel, for one policy after the other: its processes and namespaces are those of the policy before,
 * for starting them takes longer than judging a thousand packets. All policies own the same prefixes.
 */
export class Kernel {
  readonly #scratch: Scratch;
  readonly #clang = ClangServer.start();
  #xdp: XdpStage | null = null;
  #nft: NftStage | null = null;

  private constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  static async start(): Promise<Kernel> {
    return new Kernel(await Scratch.start());
  }

  async close(): Promise<void> {
    await this.#xdp?.unload();
    await this.#nft?.unload();
    await this.#scratch.close();
    this.#clang.close();
  }

  async judge(
    policy: Policy,
    packets: readonly TestPacket[],
    stages: readonly StageName[] = ["xdp", "nft"],
  ): Promise<readonly Judgement[]> {
    const judgements: Judgement[] = [];
    if (stages.includes("xdp")) judgements.push(await judged(await this.#xdpCheck(policy), packets));
    for (const kind of stages.includes("nft") ? frozenKinds(policy) : []) {
      const check = await this.#nftCheck(frozenFirewall(policy, kind));
      judgements.push(await judged(check, packets));
    }
    return judgements;
  }

  async #xdpCheck(policy: Policy): Promise<Check> {
    const object = await this.#clang.compile(policy.customer, textOf(xdp.emit(policy), ".bpf.c"));
    const build = timedBuild(policy, programOf(policy, object));
    if (this.#xdp) await this.#xdp.replace(build);
    else this.#xdp = await XdpStage.load(this.#scratch, build);
    return xdpCheck(policy, this.#xdp);
  }

  async #nftCheck(frozen: Policy): Promise<Check> {
    const build = nftBuild(frozen, nft.emit);
    if (this.#nft) await this.#nft.replace(build);
    else this.#nft = await NftStage.load(build);
    return nftCheck(frozen, this.#nft);
  }
}

async function judged(check: Check, packets: readonly TestPacket[]): Promise<Judgement> {
  const asked = packets.filter(check.asks);
  const found = await difference(check, asked);
  return { stage: check.stage.name, judged: asked.length - found.unreached, difference: found };
}

/** The stages that differ from the reference. */
export function disagreeing(judgements: readonly Judgement[]): readonly StageName[] {
  return judgements.flatMap(({ stage, difference }) => (differs(difference) ? [stage] : []));
}

export function disagree(judgements: readonly Judgement[]): boolean {
  return disagreeing(judgements).length > 0;
}
