import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { Probe } from "../../runtime/probe-client.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Rule } from "../../src/compiler/ir/policy.js";
import { slice, WIRE_FIELDS, type WireField, wireText } from "../../src/compiler/ir/wire.js";
import { ALONE, decode } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { evaluateFrame } from "../../src/compiler/semantics/evaluate.js";
import { readNumber } from "../../src/compiler/semantics/fields.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { frames } from "../support/frame-arbitrary.js";
import {
  address,
  and,
  bits,
  constant,
  inList,
  limit,
  list,
  not,
  number,
  policy,
  rule,
  xor,
} from "../support/ir.js";
import { ethernetFrame, type PacketShape, packetBytes } from "../support/packet-bytes.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/** Hand-made frames through the root program, its tail call and a customer's program: what XDP says and counts. */
let loader: Loader;
let probe: Probe;
let bpffs: BpfFs;
let loaded = 0;

beforeAll(async () => {
  bpffs = mountBpfFs();
  loader = await Loader.start();
  probe = await Probe.start();
});

afterAll(async () => {
  await probe?.close();
  await loader?.close();
  bpffs?.unmount();
});

function load(...args: Parameters<typeof policy>): Promise<XdpUnderTest> {
  const pins = `${bpffs.path}/policy${loaded++}`;
  return XdpUnderTest.load(loader, probe, policy(...args), pins);
}

function addr(text: string): bigint {
  return parseAddress(text)?.value ?? 0n;
}

/** SYN to port 80. */
const TCP = Uint8Array.of(0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 4, 0, 0, 0, 0, 0);

const V4: PacketShape = {
  family: 4,
  src: addr("192.0.2.7"),
  dst: addr("203.0.113.9"),
  proto: 6,
  transport: TCP,
  fragment: null,
  optionWords: 0,
  extensions: [],
  padding: 0,
};
const V6: PacketShape = { ...V4, family: 6, src: addr("2001:db8:f::7"), dst: addr("2001:db8::9") };

function packet(change: Partial<PacketShape> = {}, base = V4): Uint8Array {
  return packetBytes({ ...base, ...change });
}

/** An AH of 8 bytes, and destination options. */
function ahAnd(extensions: number): Uint8Array {
  const kinds = [...Array(extensions).fill(60), 59];
  return Uint8Array.from(kinds.flatMap((next, i) => [next, 0, i, 0, 0, 0, 0, 0]));
}

function patched(bytes: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [offset, value] of Object.entries(changes)) copy[Number(offset)] = value;
  return copy;
}

async function verdicts(xdp: XdpUnderTest, frames: readonly Uint8Array[], at = 1n): Promise<string> {
  const drops = await xdp.drops(frames.map((frame) => ({ frame, now: at })));
  return drops.map((dropped) => (dropped ? "D" : "p")).join("");
}

describe("a packet without a customer's rule", () => {
  const version6 = patched(packet(), { 0: 0x65 });
  const cases: readonly (readonly [string, string, Uint8Array])[] = [
    ["to a customer", "dispatched", ethernetFrame(packet())],
    ["to a customer, IPv6", "dispatched", ethernetFrame(packet({}, V6))],
    ["behind one VLAN tag", "dispatched", ethernetFrame(packet(), [7])],
    ["behind two VLAN tags", "dispatched", ethernetFrame(packet(), [7, 8])],
    ["behind three VLAN tags", "foreign", ethernetFrame(packet(), [7, 8, 9])],
    [
      "with eight extension headers",
      "dispatched",
      ethernetFrame(packet({ extensions: Array(8).fill(60) }, V6)),
    ],
    [
      "with nine extension headers",
      "malformed",
      ethernetFrame(packet({ extensions: Array(9).fill(60) }, V6)),
    ],
    [
      "with eight extension headers behind an AH",
      "malformed",
      ethernetFrame(packet({ proto: 51, transport: ahAnd(8) }, V6)),
    ],
    [
      "with seven extension headers behind an AH",
      "dispatched",
      ethernetFrame(packet({ proto: 51, transport: ahAnd(7) }, V6)),
    ],
    ["to nobody", "foreign", ethernetFrame(packet({ dst: addr("203.0.114.9") }))],
    ["to nobody, IPv6", "foreign", ethernetFrame(packet({ dst: addr("2001:db9::9") }, V6))],
    [
      "of a version that the EtherType denies",
      "malformed",
      ethernetFrame(version6).fill(8, 12, 13).fill(0, 13, 14),
    ],
    ["with a header of four words", "malformed", ethernetFrame(patched(packet(), { 0: 0x44 }))],
    ["with a header longer than itself", "malformed", ethernetFrame(patched(packet(), { 0: 0x4f }))],
    ["longer than its frame", "malformed", ethernetFrame(patched(packet(), { 3: 41 }))],
    ["longer than its frame, IPv6", "malformed", ethernetFrame(patched(packet({}, V6), { 5: 21 }))],
    ["shorter than an IPv4 header", "malformed", ethernetFrame(packet()).subarray(0, 14 + 19)],
    ["shorter than an IPv6 header", "malformed", ethernetFrame(packet({}, V6)).subarray(0, 14 + 39)],
    ["cut in its VLAN tag", "foreign", ethernetFrame(packet(), [7]).subarray(0, 16)],
  ];

  test.each(cases)("%s is %s", async (_, kind, frame) => {
    const xdp = await load([]);
    expect(await verdicts(xdp, [frame])).toBe(kind === "malformed" ? "D" : "p");
    const counted = [...(await xdp.rootCounters())].filter(([, { packets }]) => packets > 0);
    expect(counted).toEqual([[kind, { packets: 1, bytes: frame.length }]]);
  });

  test("of a customer whose program is missing is dropped", async () => {
    const xdp = await load([]);
    await loader.clearProgram(`${xdp.pins}/root/map_programs`, 5);
    expect(await verdicts(xdp, [ethernetFrame(packet())])).toBe("D");
    expect((await xdp.rootCounters()).get("closed")?.packets).toBe(1);
  });
});

describe("a condition", () => {
  const icmp = Uint8Array.of(8, 3, 0, 0);
  const later = { fragment: { offset: 1, more: false } };
  const list6 = [list("l", "192.0.2.0/29", "2001:db8:f::/64")];
  const udp = Uint8Array.of(0, 53, 0, 99, 0, 8, 0, 0);

  test.each<[string, Expr, readonly Uint8Array[], string]>([
    ["port", number("tcp.dstport", 80), [packet(), packet({}, V6), packet({ proto: 17 })], "DDp"],
    ["port of a later fragment", number("tcp.dstport", 80), [packet(later), packet(later, V6)], "pp"],
    ["port behind options", number("tcp.dstport", 80), [packet({ optionWords: 10 })], "D"],
    ["port behind extensions", number("tcp.dstport", 80), [packet({ extensions: [0, 60, 43] }, V6)], "D"],
    [
      "port of a cut header",
      number("tcp.srcport", 40_000),
      [packet({ transport: TCP.subarray(0, 2) }), packet({ transport: TCP.subarray(0, 1), padding: 30 })],
      "Dp",
    ],
    [
      "not of a port",
      not(number("tcp.dstport", 80)),
      [packet(), packet({ proto: 17 }), packet(later)],
      "pDD",
    ],
    ["flags", bits("tcp.flags", 2), [packet(), packet({ transport: TCP.subarray(0, 13), padding: 9 })], "Dp"],
    ["window", number("tcp.window", 1024), [packet(), packet({ transport: TCP.subarray(0, 15) })], "Dp"],
    ["udp.len", number("udp.len", 8), [packet({ proto: 17, transport: udp }), packet()], "Dp"],
    [
      "icmp",
      number("icmp.type", 8),
      [packet({ proto: 1, transport: icmp }), packet({ proto: 1, transport: icmp }, V6)],
      "Dp",
    ],
    [
      "icmp6",
      number("icmp6.code", 3),
      [packet({ proto: 58, transport: icmp }, V6), packet({ proto: 58, transport: icmp })],
      "Dp",
    ],
    [
      "MSS at the end of the longest options",
      number("tcp.option.mss", 1460),
      [[...Array(36).fill(1), 2, 4, 5, 0xb4], Array(40).fill(1), [...Array(38).fill(1), 2, 4]].map(
        (options) => packet({ transport: Uint8Array.from([...patched(TCP, { 12: 0xf0 }), ...options]) }),
      ),
      "Dpp",
    ],
    ["protocol", number("ip.proto", 50), [packet({ proto: 50 }), packet({ proto: 50 }, V6), packet()], "DDp"],
    [
      "protocol of a later fragment",
      number("ip.proto", [0, 255]),
      [
        packet({ ...later, proto: 51 }, V6),
        packet({ ...later, proto: 60 }, V6),
        packet({ ...later, proto: 6 }, V6),
      ],
      "ppD",
    ],
    [
      "IPv4 prefix",
      address("ip.src", "192.0.2.0/29"),
      [packet(), packet({ src: addr("192.0.2.8") }), packet({}, V6)],
      "Dpp",
    ],
    [
      "IPv4 range",
      address("ip.src", "192.0.2.5-192.0.2.7"),
      [packet(), packet({ src: addr("192.0.2.8") })],
      "Dp",
    ],
    [
      "IPv6 prefix longer than 64",
      address("ip.src", "2001:db8:f::/65"),
      [packet({}, V6), packet({ src: addr("2001:db8:f:0:8000::") }, V6), packet()],
      "Dpp",
    ],
    [
      "IPv6 range over both halves",
      address("ip.src", "2001:db8:e::9-2001:db8:f::7"),
      ["2001:db8:e::8", "2001:db8:e::9", "2001:db8:f::7", "2001:db8:f::8"].map((src) =>
        packet({ src: addr(src) }, V6),
      ),
      "pDDp",
    ],
    [
      "fragment header behind an AH, cut",
      number("fragment6.more", 1),
      [3, 4, 7, 8].map((length) => {
        const cut = Uint8Array.of(6, 0, 0, 1, 0, 0, 0, 0).subarray(0, length);
        return packet(
          { proto: 51, transport: Uint8Array.of(44, 0, 0, 0, 0, 0, 0, 0, ...cut), padding: 9 },
          V6,
        );
      }),
      "pDDD",
    ],
    [
      "IPv4 list",
      inList("ip.src", "l", 4),
      [packet(), packet({ src: addr("192.0.2.8") }), packet({}, V6)],
      "Dpp",
    ],
    [
      "IPv6 list",
      inList("ip.src", "l", 6),
      [packet({}, V6), packet({ src: addr("2001:db8:e::") }, V6), packet()],
      "Dpp",
    ],
  ])("%s", async (_, match, packets, expected) => {
    const xdp = await load([rule("r", "drop", match)], list6);
    expect(
      await verdicts(
        xdp,
        packets.map((one) => ethernetFrame(one)),
      ),
    ).toBe(expected);
  });
});

describe("rules", () => {
  test("the first that matches decides and counts the packet's own length", async () => {
    const all = constant(true);
    const rules = [
      rule("a", "drop", number("tcp.dstport", 81)),
      rule("b", "allow", all),
      rule("c", "drop", all),
    ];
    const xdp = await load(rules);
    expect(await verdicts(xdp, [ethernetFrame(packet({ padding: 30 }))])).toBe("p");
    const counted = [...(await xdp.counters())].filter(([, { packets }]) => packets > 0);
    expect(counted).toEqual([["b", { packets: 1, bytes: 40 }]]);
  });

  test("a limit drops what is over the rate, for each key of its own", async () => {
    const xdp = await load([rule("l", limit(10, 3, "ip.src"), constant(true))]);
    const one = ethernetFrame(packet());
    const other = ethernetFrame(packet({ src: addr("192.0.2.8") }));
    const six = ethernetFrame(packet({}, V6));
    const second = 1_000_000_000n;
    expect(await verdicts(xdp, [one, one, one, one, other, six, one], second)).toBe("pppDppD");
    expect(await verdicts(xdp, [one], second + 99_999_999n)).toBe("D");
    expect(await verdicts(xdp, [one, one], second + 100_000_000n)).toBe("pD");
    expect((await xdp.counters()).get("l")?.packets).toBe(4);
    expect((await xdp.counters()).get("default")?.packets).toBe(6);
  });

  test.each([null, "ip.src"] as const)(
    "a limit per %s that two CPUs take from at once gives no packet more, and none less",
    async (per) => {
      // With fewer, the two hardly ever meet: a plain store instead of the exchange would go unnoticed.
      const burst = 60_000;
      const xdp = await load([rule("l", limit(1, burst, per), constant(true))]);
      const second = await Probe.start();
      const frames = Array(burst).fill({ frame: ethernetFrame(packet()), now: 1n });
      const [one, two] = await Promise.all([xdp.drops(frames), xdp.through(second).drops(frames)]);
      await second.close();
      expect([...one, ...two].filter((dropped) => !dropped)).toHaveLength(burst);
    },
  );

  test("a limit without a key is shared by all", async () => {
    const xdp = await load([rule("l", limit(10, 2, null), constant(true))]);
    const frames = [packet(), packet({ src: addr("192.0.2.8") }), packet({}, V6)].map((one) =>
      ethernetFrame(one),
    );
    expect(await verdicts(xdp, frames)).toBe("ppD");
  });
});

describe("mangled frames", () => {
  const FRAMES = fc.sample(frames({ 4: V4, 6: V6 }), { numRuns: 20_000, seed: 20_261_122 });
  const named = Object.values(WIRE_FIELDS).filter(({ header }) => header !== "ct");
  /** Places without a name: of every header, at any bit, up to the largest offset that a policy can write. */
  const slices: readonly WireField[] = [
    ...(["ip4", "ip6", "tcp", "udp", "icmp", "icmp6", "gre", "tcpPayload"] as const).flatMap((header, i) => [
      slice(header, 3 * i + 1, 32),
      slice(header, 37 + i, 13),
    ]),
    slice("ip4", 160, 32),
    slice("ip6", 320, 24),
    slice("ip6", 2040, 32),
    slice("udp", 2040, 32),
    slice("ip4Option", 8, 9),
    slice("fragment6", 32, 32),
    slice("tcpMss", 3, 20),
    slice("greKey", 32, 31),
    slice("vlan", 0, 3),
  ];
  const places = [...named, ...slices];

  test("have every place often enough", () => {
    const counts = places.map((place) => {
      const present = FRAMES.filter((frame) => {
        const carried = stepOverEthernet(frame);
        const decoded = carried && decode(carried.bytes, carried.family, { ...ALONE, vlan: carried.vlan });
        return decoded?.kind === "packet" && readNumber(decoded.packet, place) !== undefined;
      });
      return [wireText(place), present.length] as const;
    });
    const long = new Set(["ip6[2040:32]", "udp[2040:32]"]);
    expect(counts.filter(([text, count]) => count < 150 && !long.has(text))).toEqual([]);
  });

  /** A condition on one place that about every second packet fulfils. */
  const lowerHalf = (place: WireField) => number(place, [0, 2 ** (place.width - 1) - 1 || 0]);
  const someBit = (place: WireField) => bits(place, 0x55555555 >>> (32 - place.width) || 1);

  test.each<[string, readonly Rule[]]>([
    // In an exclusive or, a mistake about any one place turns the verdict.
    ["exclusive or of numbers", [rule("xor", "drop", xor(...places.map((one) => lowerHalf(one))))]],
    ["exclusive or of bits", [rule("xor", "drop", xor(...places.map((one) => not(someBit(one)))))]],
    [
      "a chain of rules",
      [
        ...places.map((one, i) =>
          rule(`r${i}`, "drop", and(number(one, [0, 0x7f & (2 ** one.width - 1)]), someBit(one))),
        ),
        rule("not-src", "drop", not(address("ip.src", "128.0.0.0/1", "64.0.0.0/2"))),
      ],
    ],
  ])("meet the reference's verdict, and are counted where it says: %s", async (_, rules) => {
    const xdp = await load(rules);
    const state = newState();
    const traces = FRAMES.map((frame) => evaluateFrame(xdp.policy, frame, state, 1n));
    const drops = await xdp.drops(FRAMES.map((frame) => ({ frame, now: 1n })));

    const wrong = FRAMES.flatMap((frame, i) => {
      const trace = traces[i];
      const expected = trace?.verdict === "malformed" || trace?.stage === "mitigate";
      return drops[i] === expected
        ? []
        : [`${Buffer.from(frame).toString("hex")}: ${trace?.verdict} ${trace?.rule}`];
    });
    expect(wrong).toEqual([]);
    const decided = (name: string) => traces.filter((t) => t.stage === "mitigate" && t.rule === name).length;
    const counters = await xdp.counters();
    expect(xdp.policy.mitigate.map(({ name }) => counters.get(name)?.packets)).toEqual(
      xdp.policy.mitigate.map(({ name }) => decided(name)),
    );
    const root = await xdp.rootCounters();
    expect(root.get("malformed")?.packets).toBe(traces.filter((t) => t.verdict === "malformed").length);
    expect(root.get("foreign")?.packets).toBe(traces.filter((t) => t.verdict === "foreign").length);
  });
});
