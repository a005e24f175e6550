import { mkdirSync } from "node:fs";
import { type Counter, namedCounters } from "../../runtime/counters.js";
import type { Loader } from "../../runtime/loader-client.js";
import type { Probe } from "../../runtime/probe-client.js";
import { loadCustomer, loadRoot, timedProgram } from "../../src/cli/verify/xdp-program.js";
import { emit } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";

const XDP_DROP = 1;

/** A policy's XDP program behind the real root program, loaded in a BPF file system and fed by test runs. */
export class XdpUnderTest {
  private constructor(
    readonly loader: Loader,
    readonly probe: Probe,
    readonly policy: Policy,
    readonly pins: string,
    readonly names: readonly string[],
  ) {}

  /** Compiles the policy with the test clock and loads it under `pins`. */
  static async load(loader: Loader, probe: Probe, policy: Policy, pins: string): Promise<XdpUnderTest> {
    mkdirSync(pins);
    const program = timedProgram(policy, emit(policy));
    await loadRoot(loader, `${pins}/root`, program.prefixes);
    await loadCustomer(loader, { root: `${pins}/root`, customer: `${pins}/customer` }, program);
    return new XdpUnderTest(loader, probe, policy, pins, program.counters);
  }

  /** The same program, fed by another process. */
  through(probe: Probe): XdpUnderTest {
    return new XdpUnderTest(this.loader, probe, this.policy, this.pins, this.names);
  }

  /** Whether each frame was dropped; the clock shows `now` when it arrives. */
  async drops(
    frames: readonly { readonly frame: Uint8Array; readonly now: bigint }[],
  ): Promise<readonly boolean[]> {
    const program = `${this.pins}/root/prog_tidegate_root`;
    const actions = await this.probe.xdpRunTimed(program, this.#clock, frames);
    return Array.from(actions, (action) => action === XDP_DROP);
  }

  /** Counters by rule name; the stages' defaults are "default" and "firewall default". */
  async counters(): Promise<ReadonlyMap<string, Counter>> {
    const names = this.names.map((name) => name.replace(/[()]/g, ""));
    return this.#counters("customer/map_counters", names);
  }

  async rootCounters(): Promise<ReadonlyMap<string, Counter>> {
    const names = ["malformed", "foreign", "closed", "dispatched"];
    return this.#counters("root/map_root_counters", names);
  }

  get #clock(): string {
    return `${this.pins}/customer/map_test_clock`;
  }

  async #counters(map: string, names: readonly string[]): Promise<ReadonlyMap<string, Counter>> {
    const entries = await this.loader.dumpMap(`${this.pins}/${map}`);
    return new Map(Object.entries(namedCounters(entries, names)));
  }
}
