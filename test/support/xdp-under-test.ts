import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Probe } from "../../runtime/probe-client.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import { emit } from "../../src/compiler/compile.js";
import { invariant } from "../../src/compiler/diagnostics/invariant.js";
import { addressBytes, type Prefix, parsePrefix } from "../../src/compiler/ir/address.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { tables } from "../../src/targets/xdp/tables.js";

/** The only customer sits here; any slot would do. */
const SLOT = 5;

const XDP_DROP = 1;

export interface Counted {
  readonly packets: number;
  readonly bytes: number;
}

/** A policy's XDP program behind the real root program, loaded in a BPF file system and fed by test runs. */
export class XdpUnderTest {
  private constructor(
    readonly loader: Loader,
    readonly probe: Probe,
    readonly policy: Policy,
    readonly pins: string,
  ) {}

  /** Compiles the policy with the test clock and loads it under `pins`. */
  static async load(loader: Loader, probe: Probe, policy: Policy, pins: string): Promise<XdpUnderTest> {
    const root = join(packageRoot(), "dist/bpf/root.bpf.o");
    mkdirSync(pins);
    await loader.loadObject({ object: root, pinDir: `${pins}/root`, reuse: {} });
    const program = emit(policy).find(({ path }) => path.endsWith(".bpf.c"));
    invariant(program, "the XDP target emits a program");
    const folder = mkdtempSync(join(tmpdir(), "tidegate-xdp-"));
    try {
      const object = join(folder, "customer.bpf.o");
      writeFileSync(object, compileXdp(policy.customer, program.text, { testClock: true }));
      const reuse = { packet: `${pins}/root/map_packet` };
      await loader.loadObject({ object, pinDir: `${pins}/customer`, reuse });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const loaded = new XdpUnderTest(loader, probe, policy, pins);
    await loaded.#fillMaps();
    return loaded;
  }

  /** The same program, fed by another process. */
  through(probe: Probe): XdpUnderTest {
    return new XdpUnderTest(this.loader, probe, this.policy, this.pins);
  }

  /** Whether each frame was dropped; the clock shows `now` when it arrives. */
  async drops(
    frames: readonly { readonly frame: Uint8Array; readonly now: bigint }[],
  ): Promise<readonly boolean[]> {
    const program = `${this.pins}/root/prog_tidegate_root`;
    const actions = await this.probe.xdpRunTimed(program, this.#clock, frames);
    return Array.from(actions, (action) => action === XDP_DROP);
  }

  /** Counters by rule name; the stage's default is "default". */
  async counters(): Promise<ReadonlyMap<string, Counted>> {
    const names = [...this.policy.mitigate.map(({ name }) => name), "default"];
    return readCounters(this.loader, `${this.pins}/customer/map_counters`, names);
  }

  async rootCounters(): Promise<ReadonlyMap<string, Counted>> {
    const names = ["malformed", "foreign", "closed", "dispatched"];
    return readCounters(this.loader, `${this.pins}/root/map_root_counters`, names);
  }

  get #clock(): string {
    return `${this.pins}/customer/map_test_clock`;
  }

  async #fillMaps(): Promise<void> {
    const slot = Buffer.alloc(4);
    slot.writeUInt32LE(SLOT);
    for (const { prefix } of this.policy.prefixes) {
      const map = `${this.pins}/root/map_customers_${prefix.family}`;
      await this.loader.updateMap(map, [{ key: lpmKey(prefix), value: slot }]);
    }
    for (const table of tables(this.policy)) {
      const entries = table.entries.map((text) => ({ key: lpmKey(prefixOf(text)), value: Buffer.from([1]) }));
      await this.loader.updateMap(`${this.pins}/customer/map_${table.map}`, entries);
    }
    await this.loader.setProgram(
      `${this.pins}/root/map_programs`,
      SLOT,
      `${this.pins}/customer/prog_tidegate_customer`,
    );
  }
}

function prefixOf(text: string): Prefix {
  const parsed = parsePrefix(text);
  invariant(parsed.kind === "prefix", `${text} is a prefix`);
  return parsed.prefix;
}

/** struct bpf_lpm_trie_key: the prefix length in host order, then the address's bytes. */
function lpmKey({ family, base, length }: Prefix): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, addressBytes({ family, value: base })]);
}

/** Sums the per-CPU values of an array of struct tg_counter. */
async function readCounters(
  loader: Loader,
  map: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Counted>> {
  const entries = await loader.dumpMap(map);
  return new Map(
    entries.map(({ key, values }) => {
      const sum = (offset: number) =>
        values.reduce((total, v) => total + Number(v.readBigUInt64LE(offset)), 0);
      return [names[key.readUInt32LE()] ?? "unknown", { packets: sum(0), bytes: sum(8) }];
    }),
  );
}
