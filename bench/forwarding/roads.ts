import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../examples/lab/host.js";
import { tidegate } from "../../examples/lab/tools.js";
import type { Topology } from "../../examples/lab/topology.js";
import { makeWorld, type World } from "../../examples/lab/world.js";
import { chooseGre } from "../../runtime/gre/choose.js";
import { ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Manifest } from "../../src/targets/manifest.js";
import type { Built } from "../bundles.js";
import { NETWORK, REMOTE, type Sending } from "./policy.js";

/** What packets go through between a client and the customer's router, in worlds of their own. */
export interface Road {
  readonly name: string;
  /** What arrives at the router: the customer's packets, or these in GRE. */
  readonly arrives: "GRE" | "UDP";
  readonly topology: Topology;
  /** Makes of an edge that only has its addresses what it should be; `pins` is a folder of its own. */
  readonly build: (world: World, pins: string) => Promise<void>;
}

const ANYCAST = "198.18.0.1";

const CLIENT = { host: "client", device: "eth0", mac: "02:00:00:00:00:01", addresses: ["192.0.2.7/24"] };
/** Its uplink to the client has the address that frames of bench/frames.ts are sent to. */
const UP0 = { host: "edge", device: "up0", mac: "02:00:00:00:00:02", addresses: ["192.0.2.254/24"] };
const UP1 = { host: "edge", device: "up1", mac: "02:00:00:00:00:03", addresses: ["198.51.100.254/24"] };
const ROUTER = { host: "router", device: "eth0", mac: "02:00:00:00:00:04", addresses: [`${REMOTE}/24`] };

const ENDS = [
  { name: "client", forwards: false },
  { name: "router", forwards: false },
];
const DIRECT: Topology = { hosts: ENDS, links: [{ ends: [CLIENT, ROUTER] }], routes: [] };
const BY_EDGE: Topology = {
  hosts: [...ENDS, { name: "edge", forwards: true }],
  links: [{ ends: [CLIENT, UP0] }, { ends: [UP1, ROUTER] }],
  routes: [],
};

/** The first is what all others are held against. */
export async function roads(
  workshop: string,
  built: Readonly<Record<Sending, Built>>,
): Promise<readonly Road[]> {
  const gre = await chooseGre();
  const [tunnel] = built.namespace.manifest.tunnels;
  if (!tunnel) throw new RangeError("the customer has a tunnel");
  const ours = (datapath: Sending): Road => ({
    ...{ name: `tidegate, ${datapath}`, arrives: "GRE", topology: BY_EDGE },
    build: async (world) => {
      await prepare(world);
      await applyBundle(world.host("edge"), built[datapath].folder, workshop);
    },
  });
  return [
    { name: "generator", arrives: "UDP", topology: DIRECT, build: () => Promise.resolve() },
    {
      ...{ name: "forwarding", arrives: "UDP", topology: BY_EDGE },
      build: async (world) => {
        await prepare(world);
        await world.host("edge").ip([`route add ${NETWORK} via ${REMOTE}`]);
      },
    },
    {
      ...{ name: `forwarding, GRE (${gre})`, arrives: "GRE", topology: BY_EDGE },
      build: async (world, pins) => {
        await prepare(world);
        await (gre === "kernel"
          ? addGreDevice(world.host("edge"))
          : addGreProgram(world.host("edge"), tunnel, pins));
      },
    },
    ours("namespace"),
    ours("xdp"),
  ];
}

export async function openRoad({ topology, build }: Road, pins: string): Promise<World> {
  const world = await makeWorld(topology);
  try {
    await build(world, pins);
    return world;
  } catch (problem) {
    await world.remove();
    throw problem;
  }
}

/** Receives as network cards do (a veth takes frames of XDP where it merges received packets), and knows its neighbour. */
async function prepare(world: World): Promise<void> {
  const edge = world.host("edge");
  await edge.run(["ethtool", "-K", UP0.device, "gro", "on"]);
  await edge.ip([`neighbour replace ${REMOTE} lladdr ${ROUTER.mac} nud permanent dev ${UP1.device}`]);
}

async function addGreDevice(edge: Host): Promise<void> {
  await edge.ip([
    `link add tunnel type gre local ${ANYCAST} remote ${REMOTE} ttl 64`,
    "link set tunnel up",
    `route add ${NETWORK} dev tunnel`,
  ]);
}

/** Where the kernel has no GRE devices: the runtime's program at a pair of devices, and nothing else of it. */
async function addGreProgram(edge: Host, tunnel: Manifest["tunnels"][number], pins: string): Promise<void> {
  await edge.ip([
    "link add tunnel type veth peer name peer",
    ...["tunnel", "peer"].map((device) => `link set ${device} arp off up`),
    `route add ${NETWORK} dev tunnel`,
  ]);
  const loader = await Loader.start({ command: edge.enter([LOADER]) });
  try {
    const object = join(packageRoot(), "dist/bpf/gre.bpf.o");
    await loader.loadObject({ object, pinDir: pins, reuse: {} });
    const key = ifindexKey(await loader.ifindex("peer"));
    await loader.updateMap(`${pins}/map_gre_tunnels`, [{ key, value: tunnelValue(tunnel, ANYCAST) }]);
    const slot = { device: "peer", direction: "ingress", priority: 1, handle: 1 } as const;
    await loader.attachTc({ ...slot, program: `${pins}/prog_gre_encap` });
  } finally {
    await loader.close();
  }
}

export const LOADER = join(packageRoot(), "dist/runtime/loader/tidegate-loader");

async function applyBundle(edge: Host, bundle: string, workshop: string): Promise<void> {
  const file = join(workshop, "edge.ts");
  const node = {
    uplinks: [UP0.device, UP1.device],
    anycast: [ANYCAST],
    owners: { bench: [NETWORK] },
  };
  writeFileSync(file, `import { edge } from "tidegate";\nexport default edge(${JSON.stringify(node)});\n`);
  await edge.run(tidegate("apply", bundle, "--edge", file, "--memory-dir", "/run/tidegate-memory"));
}
