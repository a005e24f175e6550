import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { packageRoot } from "../../runtime/native-process.js";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, NODE, owned } from "../support/acme-edge.js";
import { framed } from "../support/flows.js";
import { tunnel } from "../support/ir.js";
import {
  checksum,
  ecnInside,
  familyOf,
  type Outside,
  oneHopLess,
  outerPacket,
  withEcn,
  writeChecksum,
} from "../support/outer-packets.js";
import { type Cut, cutAt, IN_VAIN, WHOLE, WRONG } from "../support/outer-pieces.js";

/**
 * Tunnels of every kind, byte by byte, through an edge server as it is: what goes in and out is held against the RFCs, and so are
 * the kernel's devices where it has them and our BPF programs elsewhere.
 */

const over4 = (end: number) => `198.51.100.${end}`;
const over6 = (end: number) => `2001:db8:c::${end}`;
const CHOSEN = { ttl: "inherit", dscp: 46, df: "inherit" } as const;
const CHOSEN6 = { ...CHOSEN, df: "set" } as const;

const TUNNELS: readonly Tunnel[] = [
  tunnel("gre4", over4(11)),
  tunnel("gre4-keyed", over4(11), { key: 0x01020304 }),
  tunnel("gre4-chosen", over4(12), CHOSEN),
  tunnel("gre6", over6(11)),
  tunnel("gre6-chosen", over6(12), { ...CHOSEN6, key: 7 }),
  tunnel("ipip4", over4(11), { kind: "ipip" }),
  tunnel("ipip4-chosen", over4(12), { kind: "ipip", ...CHOSEN }),
  tunnel("ipip6", over6(11), { kind: "ipip" }),
  tunnel("ipip6-chosen", over6(12), { kind: "ipip", ...CHOSEN6 }),
].map((one) => ({ ...one, mtu: 1400, mss: null }));

/** Each tunnel has a host of either family behind it. */
const hosts = (index: number) => [`203.0.113.${index + 1}`, `2001:db8:a::${index + 1}`] as const;
const CLIENT = "192.0.2.7";
const CLIENT6 = "2001:db8:1::7";

let edge: AcmeEdge;
/** Ethernet addresses of the edge's devices. */
let macs: Readonly<Record<"up0" | "up1", string>>;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const { server } = edge;
  const macOf = (device: string, namespace?: string) => {
    const shown = server.run(["ip", "-j", "link", "show", device], namespace ? { namespace } : {});
    return (JSON.parse(shown) as readonly { readonly address: string }[])[0]?.address ?? "";
  };
  macs = { up0: macOf("up0"), up1: macOf("up1") };
  const [client, router] = [macOf("eth0", "client"), macOf("eth0", "router")];
  server.ip([
    ...[CLIENT, CLIENT6].map((address) => `neigh replace ${address} lladdr ${client} dev up0`),
    ...[11, 12]
      .flatMap((end) => [over4(end), over6(end)])
      .map((address) => `neigh replace ${address} lladdr ${router} dev up1`),
  ]);
  // Else the router says that there is nobody.
  const silent = "table inet t { chain c { type filter hook prerouting priority -300; policy drop; }; }";
  for (const namespace of ["client", "router"]) server.run(["nft", silent], { namespace });
  await server.apply(edge.bundle("kinds", policyOf()), NODE);
});

afterAll(() => edge?.server.end());

function policyOf() {
  return acme({
    mitigate: [],
    firewall: { default: "allow", rules: [], stateful: false, offload: "off" },
    tunnels: TUNNELS,
    routes: TUNNELS.flatMap(({ name }, index) =>
      hosts(index).map((host) => ({
        ...owned(`${host}/${host.includes(":") ? 128 : 32}`),
        ...{ tunnel: name, priority: 100, weight: 1 },
      })),
    ),
  });
}

/** Puts packets on a wire of the edge, `strays` to another machine first; gives the first `count` that come out at the other one. */
async function passed(
  way: "into tunnels" | "out of tunnels",
  packets: readonly Uint8Array[],
  count: number,
  strays: readonly Uint8Array[] = [],
  etherType = 0,
): Promise<readonly Buffer[]> {
  const [from, to, mac] =
    way === "into tunnels"
      ? (["client", "router", macs.up0] as const)
      : (["router", "client", macs.up1] as const);
  const filter = "not ip6 multicast and not icmp6 and not arp";
  const capture = ["tcpdump", "-i", "eth0", "-Q", "in", "--immediate-mode", "-U", "-B", "16384", "-w", "-"];
  const [command, ...args] = edge.server.enter([...capture, "-c", `${count}`, filter], to);
  const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const reader = new PcapReader();
  tcpdump.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
  const ended = new Promise((resolve) => tcpdump.once("close", resolve));
  await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
  if (strays.length > 0) put(from, FOREIGN_MAC, strays);
  put(from, mac, packets, etherType);
  await ended;
  return reader.packets;
}

/** Another machine's, of those that may be on the same wire. */
const FOREIGN_MAC = "02:00:00:00:00:fe";

/** `etherType`: 0, or what the frames are said to hold instead of IP. */
function put(namespace: string, mac: string, packets: readonly Uint8Array[], etherType = 0): void {
  const wire = [join(packageRoot(), "dist/examples/lab/wire"), "eth0", mac];
  wire.push(`${packets.length}`, "0", `${etherType}`);
  const [command, ...args] = edge.server.enter(wire, namespace);
  execFileSync(command, args, { input: framed(packets) });
}

/** Without what the RFCs leave open: IPv4's identification, and IPv6's flow label. */
function settled(packet: Buffer): string {
  const copy = Buffer.from(packet);
  if (familyOf(copy) === 4) {
    expect(checksum(copy.subarray(0, 20))).toBe(0);
    copy.writeUInt16BE(0, 4);
    return writeChecksum(copy).toString("hex");
  }
  copy.writeUInt32BE(copy.readUInt32BE(0) - (copy.readUInt32BE(0) % 0x100000), 0);
  return copy.toString("hex");
}

const ECN = [0, 1, 2, 3] as const;

/** From the client to the hosts behind a tunnel: short and long, whole and not, of each ECN. */
function toHosts(index: number): readonly Buffer[] {
  const [host, host6] = hosts(index);
  const cut = packetBytes(`udp ${CLIENT}:7 > ${host}:9 ttl=44 payload=78`);
  const whole = Buffer.from(cut);
  whole.writeUInt16BE(0x4000, 6);
  const long = packetBytes(`udp [${CLIENT6}]:7 > [${host6}]:9 ttl=33 payload=${"5a".repeat(1300)}`);
  return [cut, writeChecksum(whole), long].flatMap((packet) =>
    ECN.map((ecn) => withEcn(withDscp(packet), ecn)),
  );
}

/** DSCP 10 in its place. */
function withDscp(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  if (familyOf(copy) === 6) copy.writeUInt16BE((copy.readUInt16BE(0) & 0xf00f) | (10 << 6), 0);
  else copy.writeUInt8(10 << 2, 1);
  return copy;
}

/** From the hosts behind a tunnel to the client. */
function fromHosts(index: number): readonly Buffer[] {
  const [host, host6] = hosts(index);
  return [
    packetBytes(`udp ${host}:7 > ${CLIENT}:9 ttl=44 payload=78`),
    packetBytes(`udp [${host6}]:7 > [${CLIENT6}]:9 ttl=33 payload=78`),
  ];
}

function endsOf({ remote }: Tunnel): { readonly anycast: string; readonly router: string } {
  const [ipv4 = "", ipv6 = ""] = NODE.anycast;
  return { anycast: remote.family === 4 ? ipv4 : ipv6, router: formatAddress(remote) };
}

const KINDS = TUNNELS.map((one, index) => [one.name, one, index] as const);

test.each(KINDS)("%s: what goes in", async (_name, one, index) => {
  const { anycast, router } = endsOf(one);
  const inner = toHosts(index);
  const seen = await passed("into tunnels", inner, inner.length);
  const expected = inner.map((packet) =>
    outerPacket(oneHopLess(packet), one, { source: anycast, destination: router }),
  );
  expect(seen.map(settled)).toEqual(expected.map(settled));
  for (const packet of seen) {
    if (familyOf(packet) === 6) continue;
    // RFC 6864: what may be cut up has an identification.
    if ((packet.readUInt16BE(6) & 0x4000) === 0) expect(packet.readUInt16BE(4)).not.toBe(0);
  }
});

test.each(KINDS)("%s: what comes out, by the ECN outside and inside", async (_name, one, index) => {
  const back = inwards(one);
  const cases = fromHosts(index).flatMap((packet) =>
    ECN.flatMap((ecn) => ECN.map((inside) => ({ packet: withEcn(packet, inside), ecn, inside }))),
  );
  const expected = cases.flatMap(({ packet, ecn, inside }) => {
    const left = ecnInside(ecn, inside);
    // The customer's namespace forwards it, and then the node.
    return left === undefined ? [] : [oneHopLess(oneHopLess(withEcn(packet, left)))];
  });
  const outer = cases.map(({ packet, ecn }) => outerPacket(packet, one, { ...back, ecn }));
  const seen = await passed("out of tunnels", outer, expected.length);
  expect(seen.map((packet) => packet.toString("hex"))).toEqual(
    expected.map((packet) => packet.toString("hex")),
  );
});

function inwards(one: Tunnel): Outside {
  const { anycast, router } = endsOf(one);
  return { source: router, destination: anycast };
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const NONE = Buffer.alloc(0);

const isOver4 = ({ remote }: Tunnel) => remote.family === 4;
const isOver6 = ({ remote }: Tunnel) => remote.family === 6;
const isGre = ({ kind }: Tunnel) => kind === "gre";

type Outer = (inner: Uint8Array, one: Tunnel) => Buffer;
type Trial = readonly [what: string, isOf: (one: Tunnel) => boolean, outer: Outer];

const outside =
  (more: Partial<Outside>): Outer =>
  (inner, one) =>
    outerPacket(inner, one, { ...inwards(one), ...more });

/** IPv6, of which one or both ends are those of a tunnel over IPv4, written as IPv6 addresses (RFC 4291, section 2.5.5.2). */
const mapped =
  (ends: readonly (keyof ReturnType<typeof endsOf>)[]): Outer =>
  (inner, one) => {
    const { anycast, router } = endsOf(one);
    const source = ends.includes("router") ? `::ffff:${router}` : over6(11);
    const destination = ends.includes("anycast") ? `::ffff:${anycast}` : (NODE.anycast[1] ?? "");
    return outerPacket(inner, { ...one, remote: tunnel("", over6(11)).remote }, { source, destination });
  };

const TAKEN: readonly Trial[] = [
  ["a recorded route", isOver4, outside({ options: hex("07 07 04 00000000 00") })],
  ["options that are none", isOver4, outside({ options: hex("01 01 01 00") })],
  [
    "a limit of encapsulation (RFC 2473)",
    isOver6,
    outside({ extension: [60, hex("00 00 04 01 04 01 01 00")] }),
  ],
  ["options for every hop", isOver6, outside({ extension: [0, hex("00 00 01 04 00000000")] })],
  ["a sequence number", isGre, outside({ flags: [0x1000, NONE, hex("00000009")] })],
];

const REFUSED: readonly Trial[] = [
  ["a source route", isOver4, outside({ options: hex("83 07 04 c6336463 00") })],
  [
    "an option that nobody knows, and must",
    isOver6,
    outside({ extension: [60, hex("00 00 5e 04 00000000")] }),
  ],
  ["a checksum", isGre, outside({ flags: [0x8000, hex("00000000"), NONE] })],
  [
    "GRE's own source route (RFC 1701)",
    isGre,
    outside({ flags: [0x4000, hex("00000000"), hex("00000000")] }),
  ],
  ["from a stranger over IPv4", isOver4, outside({ source: over4(99) })],
  ["from a stranger over IPv6", isOver6, outside({ source: over6(99) })],
  ["of IPv4's ends in IPv6", isOver4, mapped(["router", "anycast"])],
  ["of IPv4's far end in IPv6", isOver4, mapped(["router"])],
  ["to IPv4's anycast address in IPv6", isOver4, mapped(["anycast"])],
];

/** Tries all of it with each tunnel; what came out of packets with marks of their own, of which so many should. */
async function comeOut(
  trials: readonly Trial[],
  count: (tried: number) => number,
  to: "edge" | "others" = "edge",
) {
  const tried = TUNNELS.flatMap((one, index) =>
    trials.flatMap(([what, isOf, outer]) =>
      isOf(one) ? fromHosts(index).map((inner) => ({ what: `${one.name}: ${what}`, one, inner, outer })) : [],
    ),
  );
  const made = tried.map(({ one, inner, outer }, mark) => outer(withMark(inner, mark), one));
  // This one comes out in any case.
  const [plain] = fromHosts(0);
  const [first] = TUNNELS;
  if (!plain || !first) throw new Error("there are tunnels");
  const last = outerPacket(withMark(plain, tried.length), first, inwards(first));
  const [strays, packets] = to === "edge" ? [[], [...made, last]] : [made, [last]];
  const seen = await passed("out of tunnels", packets, count(tried.length) + 1, strays);
  const marks = seen.map((packet) => packet.readUInt16BE(portAt(packet)));
  expect(marks.at(-1)).toBe(tried.length);
  return {
    all: tried.map(({ what }) => what),
    out: marks.slice(0, -1).map((mark) => tried[mark]?.what),
  };
}

const portAt = (packet: Uint8Array) => (familyOf(packet) === 4 ? 20 : 40);

function withMark(packet: Buffer, mark: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(mark, portAt(copy));
  return copy;
}

test("what stands between the outer header and the inner one is gone over", async () => {
  const { all, out } = await comeOut(TAKEN, (tried) => tried);
  expect(out).toEqual(all);
});

test("what no device of the kernel takes does not come out", async () => {
  const { all, out } = await comeOut(REFUSED, () => 0);
  expect(all.length).toBeGreaterThan(2 * TUNNELS.length);
  expect(out).toEqual([]);
});

test("what is another machine's on the wire does not come out", async () => {
  const { all, out } = await comeOut([["as it should be", () => true, outside({})]], () => 0, "others");
  expect(all).toHaveLength(2 * TUNNELS.length);
  expect(out).toEqual([]);
});

/** A tag of VLAN 0 says only how urgent a frame is (IEEE 802.1Q): Linux goes over it. Others are of other networks. */
test("what has a tag of no VLAN comes out, and what is of another VLAN does not", async () => {
  const tried = TUNNELS.flatMap((one, index) => fromHosts(index).map((inner) => ({ one, inner })));
  const outer = tried.map(({ one, inner }) => outerPacket(inner, one, inwards(one)));
  const tagged = (id: number) => outer.map((packet) => Buffer.concat([tagOf(id, packet), packet]));
  const both = [...tagged(7), ...tagged(0)];
  const seen = await passed("out of tunnels", both, outer.length, [], ETH_P_8021Q);
  expect(seen).toEqual(tried.map(({ inner }) => oneHopLess(oneHopLess(inner))));
});

const ETH_P_8021Q = 0x8100;

/** What follows a tag's EtherType, with priority 5. */
function tagOf(id: number, packet: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE((5 << 13) | id, 0);
  bytes.writeUInt16BE(familyOf(packet) === 6 ? 0x86dd : 0x0800, 2);
  return bytes;
}

/** Of 1,200 bytes and more, and longer inside than the tunnel itself would carry. */
function longOnes(index: number): readonly Buffer[] {
  const [host, host6] = hosts(index);
  return [
    packetBytes(`udp ${host}:7 > ${CLIENT}:9 payload=${"5a".repeat(1420)}`),
    packetBytes(`udp [${host6}]:7 > [${CLIENT6}]:9 payload=${"5a".repeat(1420)}`),
  ];
}

/** What comes out of outer packets that were cut up, and of one that was not and comes last. */
async function comeTogether(cuts: Readonly<Record<string, Cut>>, count: (tried: number) => number) {
  const tried = TUNNELS.flatMap((one, index) =>
    Object.entries(cuts).flatMap(([what, cut]) =>
      longOnes(index).map((inner) => ({ what: `${one.name}: ${what}`, one, inner: withEcn(inner, 2), cut })),
    ),
  );
  const pieces = tried.flatMap(({ one, inner, cut }, mark) =>
    cut(outerPacket(withMark(inner, mark), one, inwards(one)), 2 * ++identification),
  );
  const [plain] = fromHosts(0);
  const [first] = TUNNELS;
  if (!plain || !first) throw new Error("there are tunnels");
  pieces.push(outerPacket(withMark(plain, tried.length), first, inwards(first)));
  const seen = await passed("out of tunnels", pieces, count(tried.length) + 1);
  const marks = seen.map((packet) => packet.readUInt16BE(portAt(packet)));
  return { tried, seen, marks };
}

let identification = 0;

test("what was cut up on its way comes out whole", async () => {
  const before = await cutUp();
  const { tried, seen, marks } = await comeTogether(WHOLE, (tried) => tried);
  expect(marks.map((mark) => tried[mark]?.what ?? "plain")).toEqual([
    ...tried.map(({ what }) => what),
    "plain",
  ]);
  for (const [mark, { what, inner }] of tried.entries()) {
    const met = withEcn(withMark(inner, mark), what.endsWith("met congestion") ? 3 : 2);
    expect(seen[mark]?.equals(oneHopLess(oneHopLess(met))), what).toBe(true);
  }
  expect(await cutUp()).toBe(before);
});

test.each(Object.entries(WRONG))("of pieces nothing comes, and they are counted: %s", async (what, cut) => {
  const before = await cutUp();
  const { tried, marks } = await comeTogether({ [what]: cut }, () => 0);
  expect(marks).toEqual([tried.length]);
  if (before !== undefined) expect(await cutUp()).toBe(before + 2 * tried.length);
});

const LAST = 99;
/** Our programs have room for so many pieces, and wait for a second; the kernel has megabytes, and waits 30 (net.ipv4.ipfrag_*). */
const OURS = [LAST];
const KERNELS = [1, LAST];

test("a piece whose place others needed meanwhile is lost, and theirs does not stand for it", async () => {
  const [first, last] = halves(TUNNELS[0], 1, ++identification);
  const [other] = halves(TUNNELS[2], 2, ++identification);
  const others = Array.from({ length: 1024 }, () => other);
  const before = await cutUp();
  const out = before === undefined ? KERNELS : OURS;
  expect(await marksOut([last, ...others, first], out.length - 1)).toEqual(out);
  if (before !== undefined) expect(await cutUp()).toBe(before + 2);
});

test("a piece that comes after more than a second is another packet's", async () => {
  const [first, last] = halves(TUNNELS[0], 1, ++identification);
  put("router", macs.up1, [first]);
  await sleep(1100);
  const before = await cutUp();
  const out = before === undefined ? KERNELS : OURS;
  expect(await marksOut([last], out.length - 1)).toEqual(out);
  if (before !== undefined) expect(await cutUp()).toBe(before + 1);
});

test("what has not come whole, or fits together badly, does not come out", async () => {
  const { tried, marks } = await comeTogether(IN_VAIN, () => 0);
  expect(marks).toEqual([tried.length]);
});

/** Pieces of packets of which the one half lost its end and the other its beginning: of so many, some share a row of the table. */
test("pieces of different packets are not put together, wherever they are kept", async () => {
  const [first] = TUNNELS;
  const [plain] = fromHosts(0);
  if (!first || !plain) throw new Error("there are tunnels");
  const outer = outerPacket(withMark(plain, 1), first, inwards(first));
  const cuts = Array.from({ length: 600 }, () => cutAt(outer, [24], ++identification));
  const pieces = cuts.flatMap((cut, at) => cut[at < 300 ? 0 : 1] ?? []);
  const last = outerPacket(withMark(plain, 2), first, inwards(first));
  const seen = await passed("out of tunnels", [...pieces, last], 1);
  expect(seen.map((packet) => packet.readUInt16BE(portAt(packet)))).toEqual([2]);
});

/** The two pieces of a short outer packet of a tunnel, which is marked inside. */
function halves(one: Tunnel | undefined, mark: number, id: number): readonly [first: Buffer, last: Buffer] {
  const [plain] = fromHosts(0);
  if (!one || !plain) throw new Error("there are tunnels");
  const [first, last] = cutAt(outerPacket(withMark(plain, mark), one, inwards(one)), [32], id);
  if (!first || !last) throw new Error("it was cut in two");
  return [first, last];
}

/** Marks of what comes out of these, and of one that comes last. */
async function marksOut(pieces: readonly Buffer[], count: number): Promise<readonly number[]> {
  const [first, second] = halves(TUNNELS[0], LAST, ++identification);
  const seen = await passed("out of tunnels", [...pieces, first, second], count + 1);
  return seen.map((packet) => packet.readUInt16BE(portAt(packet)));
}

test("what strangers send with a router's identification is not put into its packets", async () => {
  const [first, last] = halves(TUNNELS[0], 1, 40_000);
  // Of so many, one shares a row of the table with the router: 100.64.0.12. The kernel keeps pieces for 30 s, in Linux 6.1 with a page
  // for each, and has no room for new ones behind 4 MB (net.ipv4.ipfrag_high_thresh).
  const strangers = Array.from({ length: 64 }, (_, at) => {
    const copy = Buffer.from(first);
    copy.writeUInt32BE(0x64400000 + at, 12);
    return writeChecksum(copy);
  });
  expect(await marksOut([...strangers, last], 0)).toEqual([LAST]);
});

test("pieces to other addresses go on there as they are", async () => {
  const [plain] = fromHosts(0);
  const [first] = TUNNELS;
  if (!plain || !first) throw new Error("there are tunnels");
  const transit = outerPacket(plain, first, { ...inwards(first), destination: CLIENT });
  const pieces = cutAt(transit, [32], ++identification);
  expect(await passed("out of tunnels", pieces, pieces.length)).toEqual(pieces.map(oneHopLess));
});

/** Pieces of which nothing became, as far as that is known; only our programs tell. */
async function cutUp(): Promise<number | undefined> {
  return (await edge.server.status()).node.greLeftAlone.fragment?.packets;
}

test("each tunnel has counted what went in and came out", async () => {
  const { customers } = await edge.server.status();
  for (const [index, one] of TUNNELS.entries()) {
    const { sent, received } = customers[0].tunnels[index];
    expect(sent.packets, one.name).toBe(toHosts(index).length);
    expect(received.packets, one.name).toBeGreaterThan(28);
  }
});
