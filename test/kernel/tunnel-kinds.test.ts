import { afterAll, beforeAll, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { NODE } from "../support/acme-edge.js";
import { tunnel } from "../support/ir.js";
import {
  CLIENT,
  CLIENT6,
  endsOf,
  fromHosts,
  hosts,
  inwards,
  KindsEdge,
  marksOf,
  over4,
  over6,
  plainOne,
  TUNNELS,
  withMark,
} from "../support/kinds-edge.js";
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

/**
 * Tunnels of every kind, byte by byte, through an edge server as it is: what goes in and out is held against the RFCs, and so are
 * the kernel's devices where it has them and our BPF programs elsewhere. outer-pieces.test.ts has what was cut up on its way.
 */

let edge: KindsEdge;

beforeAll(async () => {
  edge = await KindsEdge.start();
});

afterAll(() => edge?.end());

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

const KINDS = TUNNELS.map((one, index) => [one.name, one, index] as const);

test.each(KINDS)("%s: what goes in", async (_name, one, index) => {
  const { anycast, router } = endsOf(one);
  const inner = toHosts(index);
  const seen = await edge.passed("into tunnels", inner, inner.length);
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
  const seen = await edge.passed("out of tunnels", outer, expected.length);
  expect(seen.map((packet) => packet.toString("hex"))).toEqual(
    expected.map((packet) => packet.toString("hex")),
  );
});

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
  // Each of the kernel's devices has a queue of its own (gro_cells), which may be overtaken by another's: so each gets a last packet.
  const lasts = TUNNELS.map((_, index) => plainOne(tried.length + index, index));
  const [strays, packets] = to === "edge" ? [[], [...made, ...lasts]] : [made, lasts];
  const seen = await edge.passed("out of tunnels", packets, count(tried.length) + lasts.length, strays);
  const marks = [...marksOf(seen)].sort((a, b) => a - b);
  expect(marks.slice(-lasts.length)).toEqual(lasts.map((_, index) => tried.length + index));
  return {
    all: tried.map(({ what }) => what),
    out: marks.slice(0, -lasts.length).map((mark) => tried[mark]?.what),
  };
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
  const seen = await edge.passed("out of tunnels", both, outer.length, [], ETH_P_8021Q);
  const hexes = (packets: readonly Buffer[]) => packets.map((packet) => packet.toString("hex")).sort();
  expect(hexes(seen)).toEqual(hexes(tried.map(({ inner }) => oneHopLess(oneHopLess(inner)))));
});

const ETH_P_8021Q = 0x8100;

/** What follows a tag's EtherType, with priority 5. */
function tagOf(id: number, packet: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE((5 << 13) | id, 0);
  bytes.writeUInt16BE(familyOf(packet) === 6 ? 0x86dd : 0x0800, 2);
  return bytes;
}

test("each tunnel has counted what went in and came out", async () => {
  const { customers } = await edge.server.status();
  for (const [index, one] of TUNNELS.entries()) {
    const { sent, received } = customers[0].tunnels[index];
    expect(sent.packets, one.name).toBe(toHosts(index).length);
    expect(received.packets, one.name).toBeGreaterThan(28);
  }
});
