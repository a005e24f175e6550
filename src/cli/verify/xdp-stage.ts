import { rmSync } from "node:fs";
import { join } from "node:path";
import { namedCounters } from "../../../runtime/counters.js";
import { HOPS_KEPT_FROM, sentFromXdp } from "../../../runtime/customer/fast-path.js";
import type { TimedFrame } from "../../../runtime/probe-client.js";
import type { TestPacket } from "../../verify/packets.js";
import { frameOf } from "./frame.js";
import type { Scratch } from "./scratch.js";
import {
  counting,
  DISPATCHED,
  FOREIGN,
  type KernelRun,
  type KernelStage,
  type KernelVerdict,
  MALFORMED,
  type Rush,
  sentInto,
} from "./stage.js";
import { loadCustomer, loadRoot, type XdpProgram } from "./xdp-program.js";

/** A customer's XDP program, and what is known of it. */
export interface XdpBuild extends XdpProgram {
  /** It reads the time of each packet from `test_clock`; false: the kernel's own clock. */
  readonly testClock: boolean;
  /** It has limits. */
  readonly remembers: boolean;
}

/** What a program did with a frame, and how it left it, where that matters. */
interface Left {
  readonly action: number;
  readonly frame?: Uint8Array;
}

/** enum xdp_action (linux/bpf.h). */
const XDP_DROP = 1;
const XDP_PASS = 2;
const XDP_TX = 3;
const XDP_REDIRECT = 4;
/** In the order of enum tg_root_counter (bpf-templates/root.bpf.c). */
const ROOT_COUNTERS = [MALFORMED, FOREIGN, "(closed)", DISPATCHED];

/** A customer's program behind the real root program, fed by BPF test runs. */
export class XdpStage implements KernelStage {
  readonly name = "xdp";
  readonly #scratch: Scratch;
  /** The action that sends a packet on. */
  readonly #sends: number;
  #build: XdpBuild;
  /** Pins of the program in force; each loading has a folder of its own. */
  #customer = "";
  #loadings = 0;
  /** No packet has met the program yet. */
  #fresh = true;

  private constructor(scratch: Scratch, build: XdpBuild, sends: number) {
    this.#scratch = scratch;
    this.#build = build;
    this.#sends = sends;
  }

  /** `uplinks`: packets that are sent on leave by another one than they came by (2), or by the same (1, after turnRound()). */
  static async load(scratch: Scratch, build: XdpBuild, uplinks: 1 | 2 = 2): Promise<XdpStage> {
    const stage = new XdpStage(scratch, build, uplinks === 1 ? XDP_TX : XDP_REDIRECT);
    await loadRoot(scratch.loader, stage.#root, build.prefixes);
    await stage.#replaceCustomer();
    return stage;
  }

  async unload(): Promise<void> {
    for (const pins of [this.#root, this.#customer]) rmSync(pins, { recursive: true, force: true });
  }

  /** Puts another program of the same customer into the place of the one before. */
  async replace(build: XdpBuild): Promise<void> {
    this.#build = build;
    await this.#replaceCustomer();
  }

  /** A program without limits remembers nothing. */
  async reset(): Promise<void> {
    if (this.#build.remembers && !this.#fresh) await this.#replaceCustomer();
  }

  async #replaceCustomer(): Promise<void> {
    const old = this.#customer;
    this.#customer = join(this.#scratch.pins, `customer-${this.#loadings++}`);
    const pins = { root: this.#root, customer: this.#customer };
    if (this.#build.tunnels) await this.#scratch.openUplink(this.#root);
    await loadCustomer(this.#scratch.loader, pins, this.#build);
    if (old !== "") rmSync(old, { recursive: true, force: true });
    this.#fresh = true;
  }

  async run(packets: readonly TestPacket[]): Promise<KernelRun> {
    const frames = packets.map((packet) => ({ frame: frameOf(packet), now: packet.at }));
    const { result: left, ...took } = await this.#counting(() =>
      this.#build.tunnels ? this.#follow(frames) : this.#send(frames),
    );
    const verdicts = left.map(({ action }) => this.#verdictOf(action));
    const sent = left.map(({ action, frame = null }) => (action === this.#sends ? frame : null));
    return { verdicts, sent, met: packets, ...took };
  }

  #verdictOf(action: number): KernelVerdict {
    if (action === XDP_DROP) return "drop";
    if (action === this.#sends) return "forward";
    return action === XDP_PASS ? "pass" : "other";
  }

  /** Where each packet goes does not matter here, so next hops are not forgotten: that takes longer than many a limit's interval. */
  async rush(packet: TestPacket, times: number): Promise<Rush> {
    const frames = Array.from({ length: times }, () => frameOf(packet));
    const { counted, seconds } = await this.#counting(() =>
      this.#scratch.probe.xdpRun(this.#program, frames),
    );
    return { counted, seconds };
  }

  #counting<T>(work: () => Promise<T>): Promise<Rush & { readonly result: T }> {
    this.#fresh = false;
    return counting(() => this.#counters(), work);
  }

  async #send(frames: readonly TimedFrame[]): Promise<readonly Left[]> {
    const { probe } = this.#scratch;
    const actions = this.#build.testClock
      ? await probe.xdpRunTimed(this.#program, this.#clock, frames)
      : await probe.xdpRun(
          this.#program,
          frames.map(({ frame }) => frame),
        );
    return Array.from(actions, (action) => ({ action }));
  }

  /**
   * The same, with what became of the frames. By the real clock, each second one packet goes by the namespace (forward.h), and
   * nobody can say before which one: so that none does, the program finds nothing in the map of its next hops, each time.
   */
  #follow(frames: readonly TimedFrame[]): Promise<readonly Left[]> {
    const { probe } = this.#scratch;
    if (this.#build.testClock) return probe.xdpRunFrames(this.#program, this.#clock, frames);
    return probe.xdpRunFresh(
      this.#program,
      { map: `${this.#customer}/map_hops`, keptFrom: HOPS_KEPT_FROM },
      frames.map(({ frame }) => frame),
    );
  }

  get #program(): string {
    return `${this.#root}/prog_tidegate_root`;
  }

  get #clock(): string {
    return `${this.#customer}/map_test_clock`;
  }

  get #root(): string {
    return join(this.#scratch.pins, "root");
  }

  async #counters(): Promise<ReadonlyMap<string, number>> {
    const { loader } = this.#scratch;
    const counters = {
      ...namedCounters(await loader.dumpMap(`${this.#customer}/map_counters`), this.#build.counters),
      ...namedCounters(await loader.dumpMap(`${this.#root}/map_root_counters`), ROOT_COUNTERS),
    };
    const packets = Object.entries(counters).map(([name, { packets }]) => [name, packets] as const);
    return new Map([...packets, ...(await this.#countersOfTunnels())]);
  }

  async #countersOfTunnels(): Promise<readonly (readonly [name: string, packets: number])[]> {
    const { tunnels } = this.#build;
    if (!tunnels) return [];
    const sent = await sentFromXdp(this.#scratch.loader, this.#customer);
    return tunnels.map(({ name }, place) => [sentInto(name), sent[place]?.packets ?? 0] as const);
  }
}
