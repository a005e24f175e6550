import { NFT_VERDICT, Probe } from "../../../runtime/probe-client.js";
import type { TestPacket } from "../../verify/packets.js";
import { connectionsOf } from "./connections.js";
import { counting, type KernelRun, type KernelStage, type KernelVerdict, type Rush } from "./stage.js";

export interface NftBuild {
  /** What `nft -f` takes; it replaces itself. */
  readonly ruleset: string;
  /** It tracks connections: the kernel keeps parts of datagrams, and only it knows a packet's `ct.state`. */
  readonly stateful: boolean;
  /** It has limits. */
  readonly remembers: boolean;
}

/** A customer's ruleset at the real hooks of a network namespace that holds nothing else. */
export class NftStage implements KernelStage {
  readonly name = "nft";
  #build: NftBuild;
  #probe: Probe;
  /** No packet has met the ruleset yet. */
  #fresh = true;

  private constructor(build: NftBuild, probe: Probe) {
    this.#build = build;
    this.#probe = probe;
  }

  static async load(build: NftBuild): Promise<NftStage> {
    const stage = new NftStage(build, await openProbe());
    await stage.#probe.nftLoad(build.ruleset);
    return stage;
  }

  async unload(): Promise<void> {
    await this.#probe.close();
  }

  /** Puts another ruleset into the place of the one before. */
  async replace(build: NftBuild): Promise<void> {
    const forgets = this.#build.stateful;
    this.#build = build;
    await this.#loadAnew(forgets);
  }

  async reset(): Promise<void> {
    const { remembers, stateful } = this.#build;
    if ((remembers || stateful) && !this.#fresh) await this.#loadAnew(stateful);
  }

  /** The ruleset comes with empty counters and full buckets; parts of datagrams go only with their namespace. */
  async #loadAnew(inNewNamespace: boolean): Promise<void> {
    if (inNewNamespace) {
      await this.#probe.close();
      this.#probe = await openProbe();
    }
    await this.#probe.nftLoad(this.#build.ruleset);
    this.#fresh = true;
  }

  async run(packets: readonly TestPacket[]): Promise<KernelRun> {
    const { result: marks, ...took } = await this.#send(packets);
    const verdicts = Array.from(marks, verdictOf);
    const met = this.#build.stateful ? await connectionsOf(packets) : packets;
    return { verdicts, sent: [], met, ...took };
  }

  async rush(packet: TestPacket, times: number): Promise<Rush> {
    const { counted, seconds } = await this.#send(Array.from({ length: times }, () => packet));
    return { counted, seconds };
  }

  #send(packets: readonly TestPacket[]): Promise<Rush & { readonly result: Uint8Array }> {
    this.#fresh = false;
    const bytes = packets.map((packet) => packet.bytes);
    return counting(
      () => this.#counters(),
      () => this.#probe.nftRun(bytes),
    );
  }

  /** By rule's name; others in brackets. */
  async #counters(): Promise<ReadonlyMap<string, number>> {
    const counters = await this.#probe.nftCounters();
    return new Map([...counters].map(([name, { packets }]) => [ruleOf(name), packets]));
  }
}

function ruleOf(counter: string): string {
  return counter.startsWith("rule-") ? counter.slice("rule-".length) : `(${counter})`;
}

async function openProbe(): Promise<Probe> {
  const probe = await Probe.start();
  await probe.nftOpen();
  return probe;
}

function verdictOf(mark: number): KernelVerdict {
  if (mark === NFT_VERDICT.unreached) return "unreached";
  return mark === NFT_VERDICT.survived ? "pass" : "drop";
}
