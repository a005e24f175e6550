import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../examples/lab/host.js";
import { tidegate } from "../../examples/lab/tools.js";
import type { LinkPlan } from "../../examples/lab/topology.js";
import { makeWorld, type World } from "../../examples/lab/world.js";
import { chooseGre } from "../../runtime/gre/choose.js";
import { ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Manifest } from "../../src/targets/manifest.js";
import type { Built } from "../bundles.js";
import { NETWORK, REMOTE, type Sending } from "./policy.js";

/** What packets go through between the client and the customer's router: a wire, or an edge of its own. */
export interface Road {
  readonly name: string;
  /** The client's device that leads there, and the router's where it ends. */
  readonly device: string;
  /** What arrives at the router: the customer's packets, or these in GRE. */
  readonly arrives: "GRE" | "UDP";
  /** Makes of an edge that only has its addresses what it should be; null: there is none. */
  readonly build: ((edge: Host) => Promise<void>) | null;
}

const ANYCAST = "198.18.0.1";

/** Each link is a wire of its own, so addresses may be those of others. UP0's is the one that bench/frames.ts sends to. */
const MAC = {
  client: "02:00:00:00:00:01",
  up0: "02:00:00:00:00:02",
  up1: "02:00:00:00:00:03",
  router: "02:00:00:00:00:04",
} as const;

/** The first is what all others are held against. `pins` is a folder for what is loaded. */
export async function roads(
  { workshop, pins }: { readonly workshop: string; readonly pins: string },
  built: Readonly<Record<Sending, Built>>,
): Promise<readonly Road[]> {
  const gre = await chooseGre();
  const { manifest } = built.namespace;
  const ours = (datapath: Sending): Road => ({
    ...{ name: `tidegate, ${datapath}`, device: `to-${datapath}`, arrives: "GRE" },
    build: (edge) => applyBundle(edge, built[datapath].folder, workshop),
  });
  return [
    { name: "generator", device: "to-router", arrives: "UDP", build: null },
    {
      ...{ name: "forwarding", device: "to-plain", arrives: "UDP" },
      build: (edge) => edge.ip([`route add ${NETWORK} via ${REMOTE}`]),
    },
    {
      ...{ name: `forwarding, GRE (${gre})`, device: "to-gre", arrives: "GRE" },
      build: (edge) => (gre === "kernel" ? addGreDevice(edge) : addGreProgram(edge, manifest, pins)),
    },
    ours("namespace"),
    ours("xdp"),
  ];
}

/** The client, the router, and between them the roads, side by side. */
export async function openRoads(all: readonly Road[]): Promise<World> {
  const edges = all.filter(({ build }) => build);
  const names = edges.map(edgeOf);
  const world = await makeWorld({
    hosts: [...["client", "router"].map(endHost), ...names.map((name) => ({ name, forwards: true }))],
    links: all.flatMap(linksOf),
    routes: [],
  });
  try {
    for (const road of edges) await prepare(world.host(edgeOf(road)), road);
    return world;
  } catch (problem) {
    await world.remove();
    throw problem;
  }
}

const edgeOf = ({ device }: Road) => device.replace(/^to/, "edge");
const endHost = (name: string) => ({ name, forwards: false });

function linksOf(road: Road): readonly LinkPlan[] {
  const { device, build } = road;
  const client = { host: "client", device, mac: MAC.client, addresses: [] };
  const router = { host: "router", device, mac: MAC.router, addresses: [] };
  if (!build) return [{ ends: [client, router] }];
  const host = edgeOf(road);
  return [
    { ends: [client, { host, device: "up0", mac: MAC.up0, addresses: ["192.0.2.254/24"] }] },
    { ends: [{ host, device: "up1", mac: MAC.up1, addresses: ["198.51.100.254/24"] }, router] },
  ];
}

/** Receives as network cards do (a veth takes frames of XDP where it merges received packets), and knows its neighbour. */
async function prepare(edge: Host, { build }: Road): Promise<void> {
  await edge.run(["ethtool", "-K", "up0", "gro", "on"]);
  await edge.ip([`neighbour replace ${REMOTE} lladdr ${MAC.router} nud permanent dev up1`]);
  await build?.(edge);
}

async function addGreDevice(edge: Host): Promise<void> {
  await edge.ip([
    `link add tunnel type gre local ${ANYCAST} remote ${REMOTE} ttl 64`,
    "link set tunnel up",
    `route add ${NETWORK} dev tunnel`,
  ]);
}

/** Where the kernel has no GRE devices: the runtime's program at a pair of devices, and nothing else of it. */
async function addGreProgram(edge: Host, { tunnels: [tunnel] }: Manifest, pins: string): Promise<void> {
  if (!tunnel) throw new RangeError("the customer has a tunnel");
  await edge.ip([
    "link add tunnel type veth peer name peer",
    ...["tunnel", "peer"].map((device) => `link set ${device} arp off up`),
    `route add ${NETWORK} dev tunnel`,
  ]);
  const loader = await Loader.start({ command: edge.enter([LOADER]) });
  try {
    const object = join(packageRoot(), "dist/bpf/gre.bpf.o");
    await loader.loadObject({ object, pinDir: `${pins}/gre`, reuse: {} });
    const key = ifindexKey(await loader.ifindex("peer"));
    await loader.updateMap(`${pins}/gre/map_gre_tunnels`, [{ key, value: tunnelValue(tunnel, ANYCAST) }]);
    const slot = { device: "peer", direction: "ingress", priority: 1, handle: 1 } as const;
    await loader.attachTc({ ...slot, program: `${pins}/gre/prog_gre_encap` });
  } finally {
    await loader.close();
  }
}

export const LOADER = join(packageRoot(), "dist/runtime/loader/tidegate-loader");

async function applyBundle(edge: Host, bundle: string, workshop: string): Promise<void> {
  const file = join(workshop, "edge.ts");
  const node = {
    uplinks: ["up0", "up1"],
    anycast: [ANYCAST],
    owners: { bench: [NETWORK] },
  };
  writeFileSync(file, `import { edge } from "tidegate";\nexport default edge(${JSON.stringify(node)});\n`);
  await edge.run(tidegate("apply", bundle, "--edge", file, "--memory-dir", "/run/tidegate-memory"));
}
