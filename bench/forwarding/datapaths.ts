import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../../examples/lab/world.js";
import { ifindexKey } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { Probe } from "../../runtime/probe-client.js";
import type { Built } from "../bundles.js";
import type { Effort } from "../options.js";
import { median } from "../statistics.js";
import { fillTrace } from "../xdp/workbench.js";
import { allowedFrames, type Sending } from "./policy.js";
import { LOADER, openRoads, type Road, roads } from "./roads.js";

/** A flood of packets from a client through an edge to a router, where all is done by one CPU. */
export interface DatapathRow {
  readonly subject: string;
  /** Nanoseconds of the CPU for a packet, from making it to dropping it at the router. */
  readonly packet: number;
  /** Of these, what is not the generator's and the router's: the edge's. */
  readonly edge: number;
  /** Packets in a second that arrive at the router. */
  readonly rate: number;
  /** The share that does not arrive as it should. */
  readonly lost: number;
}

/** The first CPU that this process may use. All that is done must be done by one, or a packet's time is not its CPU's. */
function oneCpu(): string {
  return /^Cpus_allowed_list:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
}

const DIST = join(packageRoot(), "dist");
const PROBE = join(DIST, "runtime/probe/tidegate-probe");

/** Floods each road in turn, in several rounds; medians of those. `pins`: a folder for what is loaded. */
export async function measureDatapaths(
  places: { readonly workshop: string; readonly pins: string },
  built: Readonly<Record<Sending, Built>>,
  effort: Effort,
): Promise<readonly DatapathRow[]> {
  const all = await roads(places, built);
  const world = await openRoads(all);
  let traffic: Traffic | undefined;
  try {
    traffic = await Traffic.start(world, all, places.pins, effort);
    // The first time memory is made that the others find, and a tunnel's first packet goes by the namespace.
    for (const road of all) await traffic.flood(road, effort.floodPackets);
    const rounds = all.map((): Flooded[] => []);
    for (let round = 0; round < effort.rounds; round++) {
      for (const [index, road] of all.entries()) {
        rounds[index]?.push(await traffic.flood(road, effort.floodPackets));
      }
    }
    return compared(all, rounds);
  } finally {
    await traffic?.end();
    await world.remove();
  }
}

interface Flooded {
  readonly packet: number;
  /** The share that did. */
  readonly arrived: number;
}

function compared(all: readonly Road[], rounds: readonly (readonly Flooded[])[]): readonly DatapathRow[] {
  const packets = rounds.map((of) => median(of.map(({ packet }) => packet)));
  return all.map(({ name }, index) => {
    const packet = packets[index] ?? Number.NaN;
    const arrived = median((rounds[index] ?? []).map((one) => one.arrived));
    const edge = packet - (packets[0] ?? Number.NaN);
    return { subject: name, packet, edge, rate: (1e9 / packet) * arrived, lost: 1 - arrived };
  });
}

/** A generator at the client and a sink at the router. */
class Traffic {
  readonly #world: World;
  readonly #pins: string;
  readonly #loader: Loader;
  readonly #probe: Probe;
  readonly #frame: Uint8Array;

  private constructor(world: World, pins: string, loader: Loader, probe: Probe, frame: Uint8Array) {
    this.#world = world;
    this.#pins = pins;
    this.#loader = loader;
    this.#probe = probe;
    this.#frame = frame;
  }

  static async start(
    world: World,
    all: readonly Road[],
    pins: string,
    { tracePackets }: Effort,
  ): Promise<Traffic> {
    const loader = await Loader.start({ command: world.host("router").enter([LOADER]) });
    try {
      const frames = allowedFrames(tracePackets);
      for (const name of ["sink", "flood"]) {
        const object = join(DIST, `bench/${name}.bpf.o`);
        await loader.loadObject({ object, pinDir: `${pins}/${name}`, reuse: {} });
      }
      const sink = { program: `${pins}/sink/prog_sink`, mode: "native" } as const;
      for (const { device } of all)
        await loader.attachXdp({ device, link: `${pins}/sink/${device}`, ...sink });
      await fillTrace(loader, `${pins}/flood`, frames);
      const command = world.host("client").enter(["taskset", "-c", oneCpu(), PROBE]);
      const probe = await Probe.start({ command });
      return new Traffic(world, pins, loader, probe, frames[0] ?? new Uint8Array());
    } catch (problem) {
      await loader.close();
      throw problem;
    }
  }

  async flood({ device, arrives }: Road, count: number): Promise<Flooded> {
    const file = `/sys/class/net/${device}/ifindex`;
    const value = ifindexKey(Number(await this.#world.host("client").run(["cat", file])));
    await this.#loader.updateMap(`${this.#pins}/flood/map_way`, [{ key: ifindexKey(0), value }]);
    const before = await this.#arrived(arrives);
    const packet = await this.#probe.xdpFlood(`${this.#pins}/flood/prog_flood`, this.#frame, count);
    return { packet, arrived: ((await this.#arrived(arrives)) - before) / count };
  }

  /** In the order of `enum arrived` in bench/bpf/sink.bpf.c. */
  async #arrived(kind: Road["arrives"]): Promise<number> {
    const rows = await this.#loader.dumpMap(`${this.#pins}/sink/map_arrived`);
    const values = rows[kind === "GRE" ? 0 : 1]?.values ?? [];
    return values.reduce((sum, value) => sum + Number(Buffer.from(value).readBigUInt64LE()), 0);
  }

  async end(): Promise<void> {
    await Promise.all([this.#loader.close(), this.#probe.close()]);
  }
}
