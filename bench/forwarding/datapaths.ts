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
import { fillTrace, type XdpWorkbench } from "../xdp/workbench.js";
import { allowedFrames, type Sending } from "./policy.js";
import { LOADER, openRoad, type Road, roads } from "./roads.js";

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

/** Floods each road in turn, in several rounds; medians of those. */
export async function measureDatapaths(
  bench: XdpWorkbench,
  workshop: string,
  built: Readonly<Record<Sending, Built>>,
  effort: Effort,
): Promise<readonly DatapathRow[]> {
  const open: OpenRoad[] = [];
  try {
    for (const road of await roads(workshop, built)) {
      open.push(await OpenRoad.open(road, join(bench.scratch.pins, `road-${open.length}`), effort));
    }
    const rounds = open.map((): Flooded[] => []);
    // The first time memory is made that the others find, and a tunnel's first packet goes by the namespace.
    for (const road of open) await road.flood(effort.floodPackets);
    for (let round = 0; round < effort.rounds; round++) {
      for (const [index, road] of open.entries()) {
        rounds[index]?.push(await road.flood(effort.floodPackets));
      }
    }
    const packets = rounds.map((of) => median(of.map(({ packet }) => packet)));
    return open.map(({ name }, index): DatapathRow => {
      const packet = packets[index] ?? Number.NaN;
      const arrived = median((rounds[index] ?? []).map(({ arrived }) => arrived));
      const edge = packet - (packets[0] ?? Number.NaN);
      return { subject: name, packet, edge, rate: (1e9 / packet) * arrived, lost: 1 - arrived };
    });
  } finally {
    for (const road of open) await road.close();
  }
}

interface Flooded {
  readonly packet: number;
  /** The share that did. */
  readonly arrived: number;
}

/** A road with a generator at its start and a sink at its end. */
class OpenRoad {
  readonly name: string;
  readonly #arrives: number;
  #arrived = 0;

  private constructor(
    { name, arrives }: Road,
    private readonly world: World,
    private readonly pins: string,
    private readonly loader: Loader,
    private readonly probe: Probe,
    private readonly frame: Uint8Array,
  ) {
    this.name = name;
    this.#arrives = arrives === "GRE" ? 0 : 1;
  }

  static async open(road: Road, pins: string, { tracePackets }: Effort): Promise<OpenRoad> {
    const world = await openRoad(road, `${pins}-edge`);
    const [client, router] = [world.host("client"), world.host("router")];
    const loader = await Loader.start({ command: router.enter([LOADER]) });
    const probe = await Probe.start({ command: client.enter(["taskset", "-c", oneCpu(), PROBE]) });
    const load = (name: string) =>
      loader.loadObject({ object: join(DIST, `bench/${name}.bpf.o`), pinDir: `${pins}-${name}`, reuse: {} });
    await load("sink");
    const sink = { program: `${pins}-sink/prog_sink`, link: `${pins}-sink/link`, mode: "native" } as const;
    await loader.attachXdp({ device: "eth0", ...sink });
    await load("flood");
    const frames = allowedFrames(tracePackets);
    await fillTrace(loader, `${pins}-flood`, frames);
    const index = Number(await client.run(["cat", "/sys/class/net/eth0/ifindex"]));
    await loader.updateMap(`${pins}-flood/map_way`, [{ key: ifindexKey(0), value: ifindexKey(index) }]);
    return new OpenRoad(road, world, pins, loader, probe, frames[0] ?? new Uint8Array());
  }

  async flood(count: number): Promise<Flooded> {
    const packet = await this.probe.xdpFlood(`${this.pins}-flood/prog_flood`, this.frame, count);
    const before = this.#arrived;
    this.#arrived = await this.#count();
    return { packet, arrived: (this.#arrived - before) / count };
  }

  async #count(): Promise<number> {
    const rows = await this.loader.dumpMap(`${this.pins}-sink/map_arrived`);
    const values = rows[this.#arrives]?.values ?? [];
    return values.reduce((sum, value) => sum + Number(Buffer.from(value).readBigUInt64LE()), 0);
  }

  async close(): Promise<void> {
    await Promise.all([this.loader.close(), this.probe.close()]);
    await this.world.remove();
  }
}
