import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import {
  CLIENT,
  CLIENT6,
  fromHosts,
  hosts,
  inwards,
  KindsEdge,
  marksOf,
  plainOne,
  TUNNELS,
  withMark,
} from "../support/kinds-edge.js";
import { oneHopLess, outerPacket, withEcn, writeChecksum } from "../support/outer-packets.js";
import { type Cut, cutAt, IN_VAIN, WHOLE, WRONG } from "../support/outer-pieces.js";

/**
 * Outer packets that routers have cut up, of tunnels of every kind (tunnel-kinds.test.ts has the whole ones): our BPF programs put them
 * together where they carry the tunnels, and the kernel elsewhere. Of what belongs together badly, or is somebody else's, nothing comes out.
 */

let edge: KindsEdge;

beforeAll(async () => {
  edge = await KindsEdge.start();
});

afterAll(() => edge?.end());

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
  pieces.push(plainOne(tried.length));
  const seen = await edge.passed("out of tunnels", pieces, count(tried.length) + 1);
  const marks = marksOf(seen);
  return { tried, seen, marks };
}

let identification = 0;

test("what was cut up on its way comes out whole", async () => {
  const before = await cutUp();
  const { tried, seen, marks } = await comeTogether(WHOLE, (tried) => tried);
  // Each of the kernel's devices has a queue of its own (gro_cells), so what comes out of one tunnel may overtake another's.
  expect([...marks].sort((a, b) => a - b)).toEqual([...tried.keys(), tried.length]);
  for (const [mark, { what, inner }] of tried.entries()) {
    const met = withEcn(withMark(inner, mark), what.endsWith("met congestion") ? 3 : 2);
    expect(seen[marks.indexOf(mark)]?.equals(oneHopLess(oneHopLess(met))), what).toBe(true);
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
  edge.put("router", edge.macs.up1, [first]);
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
  const cuts = Array.from({ length: 600 }, () => cutAt(plainOne(1), [24], ++identification));
  const pieces = cuts.flatMap((cut, at) => cut[at < 300 ? 0 : 1] ?? []);
  expect(marksOf(await edge.passed("out of tunnels", [...pieces, plainOne(2)], 1))).toEqual([2]);
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
  return marksOf(await edge.passed("out of tunnels", [...pieces, first, second], count + 1));
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
  expect(await edge.passed("out of tunnels", pieces, pieces.length)).toEqual(pieces.map(oneHopLess));
});

/** Pieces of which nothing became, as far as that is known; only our programs tell. */
async function cutUp(): Promise<number | undefined> {
  return (await edge.server.status()).node.greLeftAlone.fragment?.packets;
}
