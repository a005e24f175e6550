import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { deviceValue, endpointKey, ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, NODE, owned } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";

/** Two tunnels, three to one, whose routers are asked whether they live: one dies, and comes back. */

const FLOWS = 10_000;
const ROUTERS = { chicago: "198.51.100.1", dallas: "198.51.100.2" } as const;
type Name = keyof typeof ROUTERS;

const address = (text: string) => parseAddress(text) ?? { family: 4 as const, value: 0n };

/** The hosts behind the routers answer, as those have no addresses of their own inside. */
const HEALTH: Health = {
  ...{ style: "request", target: address(FTP) },
  ...{ interval: 100, timeout: 500, up: 3, down: 3 },
};

function sharing(overrides: Partial<Policy> = {}): Policy {
  const prefixes = [owned("203.0.113.0/24")];
  return acme({
    mitigate: [],
    prefixes,
    firewall: { default: "allow", rules: [], stateful: false, offload: "auto" },
    tunnels: (["chicago", "dallas"] as const).map((name) => {
      return { ...CHICAGO, name, remote: address(ROUTERS[name]), health: HEALTH };
    }),
    routes: prefixes.flatMap((prefix) => [
      { ...prefix, tunnel: "chicago", priority: 100, weight: 3 },
      { ...prefix, tunnel: "dallas", priority: 100, weight: 1 },
    ]),
    ...overrides,
  });
}

let edge: AcmeEdge;
let daemon: RunningDaemon;
let store: string;
let args: readonly string[];

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await secondSite();
  // Nobody listens there, and resets are no matter of this test.
  for (const namespace of ["site", "site2"]) {
    const chain = "add table ip t; add chain ip t c { type filter hook input priority 0; }";
    edge.server.run(["nft", `${chain}; add rule ip t c ip protocol tcp drop`], { namespace });
  }
  store = join(edge.server.folder, "store");
  mkdirSync(store);
  await publishBundle(dirStore(store), edge.bundle("first", sharing()));
  const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  args = ["--node", node, "--store", `dir:${store}`, "--metrics", "off"];
  daemon = RunningDaemon.start(edge.server, args);
  await daemon.says(/acme: revision 1 in force/);
}, 60_000);

afterAll(async () => {
  await daemon?.end();
  await edge?.server.end();
});

/** Dallas: another router at the same link, with a host like Chicago's behind it. */
async function secondSite(): Promise<void> {
  const { server } = edge;
  const [near, far] = ["02:00:00:00:01:01", "02:00:00:00:01:02"];
  const local = ROUTERS.dallas;
  const pair = `link add peer2 address ${near} type veth peer name tunnel address ${far} netns site2`;
  server.ip(["netns add site2"]);
  const up = "link set peer2 arp off addrgenmode none up";
  server.ip([`addr add ${local}/24 dev eth0`, pair, up], "router");
  const tunnel = ["link set tunnel arp off addrgenmode none up", `addr add ${FTP}/32 dev tunnel`];
  server.ip([...tunnel, "route add 0.0.0.0/0 dev tunnel"], "site2");
  const command = server.enter([join(packageRoot(), "dist/runtime/loader/tidegate-loader")], "router");
  const loader = await Loader.start({ command });
  const pins = "/run/router/gre";
  const row = { ...CHICAGO, device: "tunnel", peer: "peer2", remote: "198.18.0.1" };
  const index = await loader.ifindex("peer2");
  await loader.updateMap(`${pins}/map_gre_tunnels`, [
    { key: ifindexKey(index), value: tunnelValue(row, local) },
  ]);
  const endpoint = { key: endpointKey(row, local), value: deviceValue(index, far, near) };
  await loader.updateMap(`${pins}/map_gre_endpoints`, [endpoint]);
  const slot = { direction: "ingress", priority: 1, handle: 1 } as const;
  await loader.attachTc({ ...slot, device: "peer2", program: `${pins}/prog_gre_encap` });
  await loader.close();
}

/** What a router that has died does, and one that is back. */
function setRouter(name: Name, state: "down" | "up"): void {
  const peer = name === "chicago" ? "peer" : "peer2";
  edge.server.ip([`link set ${peer} ${state}`], "router");
}

/** A packet of each flow: of TCP with its own source. */
function packetsOf(flows: readonly number[]): readonly Buffer[] {
  return flows.map((flow) => {
    const [host, port] = [1 + Math.floor(flow / 4000), 1024 + (flow % 4000)];
    return packetBytes(`tcp 192.0.2.${host}:${port} > ${FTP}:80 flags=S`);
  });
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function send(packets: readonly Buffer[]): void {
  const [{ address: mac = "" } = {}] = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"])) as [
    { address?: string },
  ];
  for (let at = 0; at < packets.length; at += 4000) {
    const batch = packets.slice(at, at + 4000);
    const wire = [join(packageRoot(), "dist/examples/lab/wire"), "eth0", mac, `${batch.length}`, "20000"];
    const [command, ...rest] = edge.server.enter(wire, "client");
    const sized = batch.flatMap((packet) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(packet.length);
      return [size, packet];
    });
    execFileSync(command, rest, { input: Buffer.concat(sized) });
  }
}

/** The router that each of these flows comes to, by flow; a packet that a busy machine lost is sent again. */
async function ways(flows: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (let tries = 0; tries < 5 && found.size < flows.length; tries++) {
    const seen = await waysNow(flows.filter((flow) => !found.has(flow)));
    for (const [flow, router] of seen) found.set(flow, router);
  }
  return found;
}

async function waysNow(flows: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const file = join(edge.server.folder, "ways.pcap");
  const only = "ip proto 47 and ip[24] = 0x45 and ip[33] = 6 and not src net 198.51.100.0/24";
  const capture = [
    "tcpdump",
    "-i",
    "eth0",
    "--immediate-mode",
    "-B",
    "65536",
    "-s",
    "96",
    "-U",
    "-w",
    file,
    only,
  ];
  const [command, ...rest] = edge.server.enter(capture, "router");
  const tcpdump = spawn(command, rest, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
  const ended = new Promise((resolve) => tcpdump.once("close", resolve));
  send(packetsOf(flows));
  await sleep(500);
  // It may be the child of what entered the namespaces, which passes the signal on.
  tcpdump.kill("SIGINT");
  await ended;
  const reader = new PcapReader();
  reader.push(readFileSync(file));
  return new Map(
    reader.packets.map((packet) => {
      const flow = ((packet[39] ?? 0) - 1) * 4000 + packet.readUInt16BE(44) - 1024;
      return [flow, [...packet.subarray(16, 20)].join(".")];
    }),
  );
}

function count(found: ReadonlyMap<number, string>, name: Name): number {
  return [...found.values()].filter((router) => router === ROUTERS[name]).length;
}

interface Shown {
  readonly name: string;
  readonly health: { readonly life: string; readonly probes: { readonly lastAnswer: string | null } | null };
}

async function healths(): Promise<Readonly<Record<string, Shown["health"]>>> {
  const { customers } = await edge.server.status();
  expect(customers[0].drift).toEqual([]);
  return Object.fromEntries((customers[0].tunnels as Shown[]).map(({ name, health }) => [name, health]));
}

test("flows of a router that dies move, all others stay, and it has its part when it is back", async () => {
  await daemon.says(/tunnel (chicago|dallas) lives/);
  await daemon.says(/tunnel (chicago|dallas) lives/);
  const all = range(0, FLOWS);
  const before = await ways(all);
  expect(before.size).toBe(FLOWS);
  expect(count(before, "dallas") / FLOWS).toBeGreaterThan(0.25 * 0.95);
  expect(count(before, "dallas") / FLOWS).toBeLessThan(0.25 * 1.05);

  const died = performance.now();
  setRouter("chicago", "down");
  await daemon.says(/acme: tunnel chicago is dead: 3 probes in a row to 203\.0\.113\.100 without an answer/);
  // Three intervals and a timeout; the rest is the patience of a busy machine.
  expect(performance.now() - died).toBeGreaterThan(500);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("dead");
  const meanwhile = await ways(all);
  expect(meanwhile.size).toBe(FLOWS);
  expect(count(meanwhile, "chicago")).toBe(0);

  setRouter("chicago", "up");
  await daemon.says(/acme: tunnel chicago lives again/);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("live");
  const next = await ways(all);
  expect(all.filter((flow) => before.get(flow) !== next.get(flow))).toEqual([]);
}, 120_000);

test("a change, and a daemon that starts anew, keep a dead tunnel out; with all dead all are used", async () => {
  setRouter("dallas", "down");
  await daemon.says(/acme: tunnel dallas is dead/);
  const rest = sharing({ firewall: { ...sharing().firewall, rules: acme().firewall.rules } });
  await publishBundle(dirStore(store), edge.bundle("second", rest));
  await daemon.says(/acme: revision 2 in force/);
  const some = range(0, 400);
  expect(count(await ways(some), "dallas")).toBe(0);

  await daemon.end();
  expect(await healths()).toMatchObject({ dallas: { life: "dead" }, chicago: { life: "live" } });
  daemon = RunningDaemon.start(edge.server, args);
  await expect
    .poll(async () => (await healths())["chicago"]?.probes?.lastAnswer ?? null, { timeout: 10_000 })
    .not.toBe(null);
  expect((await healths())["dallas"]?.life).toBe("dead");
  expect(count(await ways(some), "dallas")).toBe(0);

  setRouter("chicago", "down");
  await daemon.says(/acme: tunnel chicago is dead/);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("dead");
  // Routers that do not answer may live all the same.
  expect((await ways(some)).size).toBe(400);
}, 60_000);

test("a customer that goes leaves nothing of its probes", async () => {
  await publishBundle(dirStore(store), edge.bundle("third", sharing({ tunnels: [CHICAGO], routes: [] })));
  await daemon.says(/acme: revision 3 in force/);
  await edge.server.remove("acme");
  expect(edge.server.run(["ls", "/run/netns"])).not.toContain("tg-acme");
  const native = edge.server.run(["sh", "-c", "ls /run/tidegate/customers 2>/dev/null || true"]);
  expect(native.trim()).toBe("");
}, 30_000);
