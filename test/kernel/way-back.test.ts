import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { packageRoot } from "../../runtime/native-process.js";
import { Chance } from "../../src/compiler/analysis/chance.js";
import type { Datapath, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, globex, NODE } from "../support/acme-edge.js";
import { tunnel } from "../support/ir.js";
import { PATIENCE } from "../support/patience.js";
import { plainPacket, type Returning, returningPacket } from "../support/returning-packets.js";
import { letSendBack, sentBack } from "../support/uplink-rows.js";

/**
 * The fast path's way back, against the reference (docs/semantics.md) and against the namespace: what customers' routers send to the
 * anycast address, plain or not so in some point, through an edge server with either datapath. TIDEGATE_FAST_PACKETS is how many
 * packets each gets.
 */
const PACKETS = Number(process.env["TIDEGATE_FAST_PACKETS"] ?? 1500);
/** A second: all kinds, and while policies change. */
const RATE = 4000;
const PER_SECOND = 1000;

const ROUTER = "198.51.100.11";
const TUNNELS = [
  tunnel("chicago", ROUTER, { mss: null }),
  tunnel("paris", ROUTER, { key: 7, mss: null }),
] as const;
const ENDS = {
  host: { 4: "203.0.113.100", 6: "2001:db8:a::100" },
  client: { 4: "192.0.2.7", 6: "2001:db8:1::7" },
  outside: { source: ROUTER, destination: NODE.anycast[0] ?? "" },
} as const;

function policyOf(datapath: Datapath, tunnels: Policy["tunnels"] = TUNNELS): Policy {
  const { prefixes } = acme();
  const routes = prefixes.map((prefix) => ({ ...prefix, tunnel: "chicago", priority: 100, weight: 1 }));
  const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
  return acme({ datapath, firewall, mitigate: [], tunnels, routes });
}

const CHANCE = new Chance(20_261_123);
const SENT: readonly Returning[] = Array.from({ length: PACKETS }, (_, mark) => {
  const one = CHANCE.among(TUNNELS) ?? TUNNELS[0];
  return returningPacket(CHANCE, { ...ENDS, tunnel: one }, mark);
});

let edge: AcmeEdge;
let macs: Readonly<Record<"up0" | "up1" | "client" | "router", string>>;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const { server } = edge;
  const macOf = (device: string, namespace?: string): string => {
    const shown = server.run(["ip", "-j", "link", "show", device], namespace ? { namespace } : {});
    return JSON.parse(shown)[0].address;
  };
  macs = {
    ...{ up0: macOf("up0"), up1: macOf("up1") },
    ...{ client: macOf("eth0", "client"), router: macOf("eth0", "router") },
  };
  const neighbours = Object.values(ENDS.client).map((one) => `${one} lladdr ${macs.client} dev up0`);
  server.ip([...neighbours, `${ROUTER} lladdr ${macs.router} dev up1`].map((one) => `neigh replace ${one}`));
  // Whoever does not look where a packet goes sends it here.
  server.ip([
    ...["203.0.113.0/24", "198.18.64.0/24"].map(
      (prefix) => `route add ${prefix} via ${ENDS.client[4]} dev up0`,
    ),
    `route add 2001:db8:a::/48 via ${ENDS.client[6]} dev up0`,
  ]);
  // Else the client and the router answer.
  const silent = "table inet t { chain c { type filter hook prerouting priority -300; policy drop; }; }";
  for (const namespace of ["client", "router"]) {
    server.run(["nft", silent], { namespace });
    // The far end takes frames from XDP.
    server.run(["ethtool", "-K", "eth0", "gro", "on"], { namespace });
  }
  server.run([
    "sysctl",
    "-q",
    "-w",
    ...["all", "up0", "up1"].map((one) => `net.ipv4.conf.${one}.rp_filter=0`),
  ]);
  const closed = { default: "drop", rules: [], stateful: false, offload: "auto" } as const;
  await server.apply(edge.bundle("globex", { ...globex(), firewall: closed }), NODE);
});

afterAll(() => edge?.server.end());

type Listener = "client" | "router";

/** Frames from the edge to the client, or to the router, as long as it runs. */
async function listen(at: Listener = "client") {
  const uplink = at === "client" ? macs.up0 : macs.up1;
  const filter = `ether src ${uplink} and ether dst ${macs[at]} and not icmp and not icmp6 and not arp`;
  // The router is sent what goes into tunnels, too.
  const others = at === "router" ? " and not proto gre" : "";
  // Room in the kernel is for so many packets as are of the longest size that is asked for.
  const room = ["--immediate-mode", "-U", "-B", "16384", "-s", "1600"];
  const capture = ["tcpdump", "-i", "eth0", "-Q", "in", ...room, "-w", "-"];
  const [command, ...args] = edge.server.enter([...capture, filter + others], at);
  const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const reader = new PcapReader();
  tcpdump.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
  const ended = new Promise((resolve) => tcpdump.once("close", resolve));
  await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
  return {
    /** All, when there are `count`, or long after the last one was sent. */
    end: async (count: number): Promise<readonly Buffer[]> => {
      const until = performance.now() + 10_000;
      while (reader.packets.length < count && performance.now() < until) await sleep(20);
      await sleep(100);
      tcpdump.kill();
      await ended;
      return reader.packets;
    },
  };
}

/** So many packets a wire takes. */
const MOST = 4096;

/** From the router to the edge, each once, `rate` a second. */
async function send(packets: readonly Buffer[], rate: number, to = macs.up1): Promise<void> {
  for (let at = 0; at < packets.length; at += MOST) await sendSome(packets.slice(at, at + MOST), rate, to);
}

async function sendSome(packets: readonly Buffer[], rate: number, to: string): Promise<void> {
  const numbers = [packets.length, rate].map(String);
  const wire = [join(packageRoot(), "dist/examples/lab/wire"), "eth0", to, ...numbers];
  const [program, ...options] = edge.server.enter(wire, "router");
  const sender = spawn(program, options, { stdio: ["pipe", "ignore", "inherit"] });
  const ended = new Promise((resolve) => sender.once("close", resolve));
  sender.stdin.end(Buffer.concat(packets.flatMap((packet) => [lengthOf(packet), packet])));
  await ended;
}

function lengthOf(packet: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(packet.length);
  return bytes;
}

const sorted = (packets: readonly Buffer[]) => packets.map((packet) => packet.toString("hex")).sort();

const marksOf = (packets: readonly Buffer[]) =>
  packets.map((packet) => packet.readUInt32BE(packet.length - 4)).sort((a, b) => a - b);

const acmeStatus = async () =>
  (await edge.server.status()).customers.find(({ name }: { name: string }) => name === "acme");

/** What was counted so far. */
async function counted() {
  const { counters, tunnels } = await acmeStatus();
  return {
    ...{ passed: counters.other["return-passed"], spoofed: counters.other["return-spoofed"] },
    chicago: tunnels[0].received,
    paris: tunnels[1].received,
  } as Record<string, { packets: number; bytes: number }>;
}

const byXdp = async (): Promise<number> =>
  (await acmeStatus()).tunnels.reduce(
    (total: number, { returnedByXdp }: { returnedByXdp: { packets: number } }) =>
      total + returnedByXdp.packets,
    0,
  );

const expected = SENT.flatMap(({ arriving }) => arriving ?? []);

async function round(datapath: Datapath) {
  await edge.server.apply(edge.bundle(`acme-${datapath}`, policyOf(datapath)), NODE);
  return judged();
}

/** What becomes of all packets, of which some arrive there. */
async function judged(at?: Listener) {
  const before = { counts: await counted(), fast: await byXdp() };
  const begun = performance.now();
  const listener = await listen(at);
  await send(
    SENT.map(({ outer }) => outer),
    RATE,
  );
  const arrived = await listener.end(expected.length);
  const seconds = Math.ceil((performance.now() - begun) / 1000);
  const counts = await counted();
  const more = Object.entries(counts).map(([name, { packets, bytes }]) => [
    name,
    [packets - (before.counts[name]?.packets ?? 0), bytes - (before.counts[name]?.bytes ?? 0)],
  ]);
  return {
    arrived: sorted(arrived),
    seconds,
    from: before.counts,
    to: counts,
    counts: Object.fromEntries(more),
    fast: (await byXdp()) - before.fast,
  };
}

test("frames, verdicts and counters are the reference's and the namespace's, and what is plain goes by XDP", async () => {
  const [xdp, namespace] = [await round("xdp"), await round("namespace")];
  const wanted = new Map(
    SENT.flatMap(({ arriving, why }) => (arriving ? [[arriving.toString("hex"), why]] : [])),
  );
  for (const { arrived } of [namespace, xdp]) {
    const seen = new Set(arrived);
    expect([...wanted].filter(([packet]) => !seen.has(packet)).map(([, why]) => why)).toEqual([]);
    expect(arrived).toEqual(sorted(expected));
  }
  expect(xdp.counts).toEqual(namespace.counts);
  // What XDP has counted stays counted.
  expect(namespace.from).toEqual(xdp.to);
  const ofFate = (fate: Returning["fate"]) => SENT.filter((one) => one.fate === fate).length;
  expect(xdp.counts.spoofed[0]).toBe(ofFate("spoofed"));
  expect(xdp.counts.passed[0]).toBeGreaterThan(PACKETS / 2);
  // Each second one by the namespace, of each CPU.
  const plain = ofFate("plain");
  expect(plain).toBeGreaterThan(PACKETS / 10);
  expect(xdp.fast).toBeLessThan(plain);
  expect(xdp.fast).toBeGreaterThan(plain - 2 * (xdp.seconds + 1) * availableParallelism());
  expect(namespace.fast).toBe(0);
});

test.each(["the kernel", "its driver"])(
  "by the uplink that it came by, sent by %s, it leaves as by another",
  async (by) => {
    const { server } = edge;
    const addresses = Object.values(ENDS.client);
    const ways = addresses.map((address) => `route add ${address} dev up1`);
    const neighbours = addresses.map((address) => `neigh replace ${address} lladdr ${macs.router} dev up1`);
    await server.apply(edge.bundle("one-uplink", policyOf("xdp")), NODE);
    server.ip([...ways, ...neighbours]);
    if (by === "its driver") letSendBack(edge, "up1", "router");
    const before = sentBack(edge, "up1");
    const { arrived, fast } = await judged("router");
    const back = sentBack(edge, "up1") - before;
    server.ip([...ways, ...neighbours].map((one) => one.replace(/add|replace/, "del")));
    server.ip(["link set eth0 xdp off"], "router");
    await server.apply(edge.bundle("two-uplinks", policyOf("xdp")), NODE);
    expect(arrived).toEqual(sorted(expected));
    expect(fast).toBeGreaterThan(0);
    expect(back).toBe(by === "its driver" ? fast : 0);
  },
);

test("while the way changes and changes back no packet is lost or comes twice", async () => {
  const packets = Array.from({ length: 3 * PER_SECOND }, (_, mark) =>
    plainPacket({ ...ENDS, tunnel: TUNNELS[1] }, mark),
  );
  const [xdp, namespace] = [edge.bundle("fast", policyOf("xdp")), edge.bundle("slow", policyOf("namespace"))];
  await edge.server.apply(xdp, NODE);
  const client = await listen();
  const before = await byXdp();
  let isSending = true;
  const sending = send(
    packets.map(({ outer }) => outer),
    PER_SECOND / PATIENCE,
  ).then(() => {
    isSending = false;
  });
  let changes = 0;
  for (; isSending; changes++) await edge.server.apply(changes % 2 === 0 ? namespace : xdp, NODE);
  await sending;
  const arrived = await client.end(packets.length);
  expect(marksOf(arrived)).toEqual(packets.map((_, mark) => mark));
  const fast = (await byXdp()) - before;
  expect(changes).toBeGreaterThan(1);
  expect(fast).toBeGreaterThan(0);
  expect(fast).toBeLessThan(packets.length);
});

/** Marks of those that arrive of twenty plain packets from each of the tunnels. */
async function arriving(from: Policy["tunnels"], count: number): Promise<readonly number[]> {
  const client = await listen();
  const packets = from.flatMap((tunnel, place) =>
    Array.from({ length: 20 }, (_, mark) => plainPacket({ ...ENDS, tunnel }, 100 * place + mark)),
  );
  await send(
    packets.map(({ outer }) => outer),
    RATE,
  );
  return marksOf(await client.end(count));
}

test("what comes from where a tunnel led before a change comes back no more", async () => {
  const [chicago, paris] = TUNNELS;
  const dallas = { ...paris, key: 9 };
  await edge.server.apply(edge.bundle("before", policyOf("xdp")), NODE);
  const numbers = (begin: number) => Array.from({ length: 20 }, (_, mark) => begin + mark);
  expect(await arriving([paris, dallas], 20)).toEqual(numbers(0));
  await edge.server.apply(edge.bundle("after", policyOf("xdp", [chicago, dallas])), NODE);
  expect(await arriving([paris, dallas], 20)).toEqual(numbers(100));
});

/** Twenty packets to that address, and one to the client, with the mark that it ends with. */
const toward = (address: string, length?: number): readonly Buffer[] => {
  const ends = { ...ENDS, tunnel: TUNNELS[0], client: { ...ENDS.client, 4: address } };
  return Array.from({ length: 20 }, (_, mark) => plainPacket(ends, mark, length).outer);
};
const LAST = plainPacket({ ...ENDS, tunnel: TUNNELS[0] }, 20).outer;

test("frames to another machine, as a bridge may flood them, are left to it", async () => {
  await edge.server.apply(edge.bundle("flooded", policyOf("xdp")), NODE);
  const client = await listen();
  await send(toward(ENDS.client[4]), RATE, "02:00:00:00:00:77");
  await send([LAST], RATE);
  expect(marksOf(await client.end(1))).toEqual([20]);
});

const WIDE = 1600;

test.each([
  ["to another customer, even if the node's routes lead there by an uplink,", "198.18.64.9", "up0", 52],
  ["to a device that is no uplink", "192.0.2.77", "aside", 52],
  ["by a path that is too narrow for it", "192.0.2.78", "up0 mtu lock 576", 577],
  ["by the link to the namespace only in pieces", "192.0.2.79", "up0", 1501],
])("what goes %s is the namespace's", async (_what, address, way, length) => {
  const { server } = edge;
  await server.apply(edge.bundle("elsewhere", policyOf("xdp")), NODE);
  server.ip(["link add aside type veth peer name behind", "link set behind up", "link set aside up"]);
  const wide = (mtu: number) => {
    for (const namespace of ["client", "router"]) server.ip([`link set eth0 mtu ${mtu}`], namespace);
    server.ip(["up0", "up1"].map((uplink) => `link set ${uplink} mtu ${mtu}`));
  };
  wide(WIDE);
  server.ip([`route add ${address}/32 dev ${way}`]);
  server.ip([`neigh replace ${address} lladdr ${macs.client} dev ${way.split(" ")[0]}`]);
  const [before, { passed }] = [await byXdp(), await counted()];
  const client = await listen();
  await send([...toward(address, length), LAST], RATE);
  expect(marksOf(await client.end(1))).toContain(20);
  const after = await counted();
  server.ip([`route del ${address}/32 dev ${way}`, "link del aside"]);
  wide(1500);
  expect((after["passed"]?.packets ?? 0) - (passed?.packets ?? 0)).toBe(21);
  expect((await byXdp()) - before).toBeLessThanOrEqual(1);
});

test("a place without its program is missed, what comes back takes the namespace, and the next apply mends it", async () => {
  const bundle = edge.bundle("mended", policyOf("xdp"));
  await edge.server.apply(bundle, NODE);
  const map = ["bpftool", "-j", "map"];
  const pin = ["pinned", "/run/tidegate/bpf/root/map_ways_back"];
  const rows: readonly { readonly key: readonly string[] }[] = JSON.parse(
    edge.server.run([...map, "dump", ...pin]),
  ).filter((row: object) => !("error" in row) && !JSON.stringify(row).includes("No such file"));
  expect(rows).toHaveLength(1);
  edge.server.run([...map, "delete", ...pin, "key", ...(rows[0]?.key ?? [])]);
  expect(await acmeStatus()).toMatchObject({ drift: ["XDP program"] });
  const before = await byXdp();
  expect(await arriving([TUNNELS[0]], 20)).toHaveLength(20);
  expect(await byXdp()).toBe(before);
  await edge.server.apply(bundle, NODE);
  expect(await acmeStatus()).toMatchObject({ drift: [] });
  expect(await arriving([TUNNELS[0]], 20)).toHaveLength(20);
  expect(await byXdp()).toBeGreaterThan(before);
});
