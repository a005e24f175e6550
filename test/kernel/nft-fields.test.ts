import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { slice, WIRE_FIELDS, type WireField, wireText } from "../../src/compiler/ir/wire.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { nft } from "../../src/targets/nft/target.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { firewall } from "../support/firewall-policies.js";
import { and, bits, not, number, range, rule } from "../support/ir.js";
import { type PacketShape, packetBytes } from "../support/packet-bytes.js";

/** Every place of a packet in nftables, in the real kernel: all kinds of question, and headers that lie. */

let probe: Probe;

beforeAll(async () => {
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(() => probe?.close());

/** Which of the packets the expression holds for: the reference's word, after nftables said the same. */
async function holding(match: Expr, packets: readonly Uint8Array[]): Promise<readonly boolean[]> {
  const [ruleset] = nft.emit(firewall([rule("r", "allow", match)]));
  await probe.nftLoad(ruleset?.text ?? "");
  const verdicts = await probe.nftRun(packets);
  const expected = packets.map((bytes) => {
    const decoded = decode(bytes);
    return decoded.kind === "packet" && matches(match, decoded.packet, []);
  });
  for (const [index, verdict] of verdicts.entries()) {
    if (verdict === NFT_VERDICT.unreached) continue;
    const hex = Buffer.from(packets[index] ?? []).toString("hex");
    expect(verdict === NFT_VERDICT.survived, `${hex} in\n${ruleset?.text}`).toBe(expected[index]);
  }
  await probe.nftLoad("list ruleset");
  return expected.filter((_, index) => verdicts[index] !== NFT_VERDICT.unreached);
}

const SLICES: readonly WireField[] = [
  slice("tcpPayload", 3, 13),
  slice("tcpPayload", 0, 8),
  slice("tcpPayload", 1544, 32),
  slice("udp", 64, 32),
  slice("udp", 67, 30),
  slice("icmp", 64, 16),
  slice("icmp6", 77, 9),
  slice("tcp", 95, 2),
  slice("tcp", 2040, 32),
  slice("ip4", 1, 31),
  slice("ip4", 2040, 1),
  slice("ip6", 0, 32),
  slice("ip6", 2039, 32),
];

const IN_NAMESPACE = Object.values(WIRE_FIELDS).filter(({ header }) => header !== "vlan" && header !== "ct");
const HERE = (field: WireField) => [wireText(field), field] as const;

/** A length that packets here have; for the rest any value will do. */
function middleOf({ name, width }: WireField): number {
  return name === "ip4.len" || name === "ip6.payload_len" ? 60 : Math.floor((2 ** width - 1) / 3);
}

describe("every place is read as the reference reads it", () => {
  test.each([...IN_NAMESPACE, ...SLICES].map(HERE))("%s", async (_, field) => {
    const last = 2 ** field.width - 1;
    const middle = middleOf(field);
    const questions = [
      number(field, middle),
      number(field, [0, last]),
      number(field, [middle, last]),
      number(field, 0, middle, last),
      number(field, ...(middle > 0 ? [[0, middle - 1] as const] : []), [middle + 1, last]),
      bits(field, last),
      bits(field, 1),
    ];
    const seen = new Set<boolean>();
    for (const question of questions) {
      const policy = firewall([rule("r", "drop", question)]);
      const packets = fc.sample(aimedPackets(policy).filter(isOurs), { numRuns: 250, seed: 1 });
      for (const one of await holding(question, packets)) seen.add(one);
      await holding(not(question), packets);
    }
    expect(seen, "some packets meet it and some do not").toEqual(new Set([true, false]));
  });
});

const OURS = {
  4: range("203.0.113.0/24").range,
  6: range("2001:db8::/32").range,
} as const;

/** Well-formed, and to the customer: XDP lets nothing else through. */
function isOurs(bytes: Uint8Array): boolean {
  const decoded = decode(bytes);
  if (decoded.kind !== "packet") return false;
  const { low, high } = OURS[decoded.packet.family];
  const { value } = decoded.packet.destination;
  return low <= value && value <= high;
}

function packet(shape: Partial<PacketShape>): Uint8Array {
  const six = shape.family === 6;
  return packetBytes({
    family: 4,
    src: range(six ? "2001:db8:9::7" : "192.0.2.7").range.low,
    dst: range(six ? "2001:db8::9" : "203.0.113.9").range.low,
    proto: 6,
    transport: Uint8Array.of(),
    fragment: null,
    optionWords: 0,
    extensions: [],
    padding: 0,
    ...shape,
  });
}

/** A TCP packet with these options; the data offset is theirs unless another one is claimed. */
function tcp(options: readonly number[], { words = 5 + options.length / 4, payload = [] as number[] } = {}) {
  const head = Buffer.alloc(20);
  head.writeUInt8((words << 4) & 0xff, 12);
  return packet({ transport: Buffer.concat([head, Uint8Array.from(options), Uint8Array.from(payload)]) });
}

describe("a maximum segment size", () => {
  const mss = number("tcp.option.mss", 0x0102);

  test.each([
    ["is found", [2, 4, 1, 2], true],
    ["is found behind no-operations", [1, 1, 1, 1, 2, 4, 1, 2], true],
    ["is found behind the end of options, as the kernel does", [0, 0, 0, 0, 2, 4, 1, 2], true],
    ["is found behind a length of 0", [3, 0, 1, 1, 2, 4, 1, 2], true],
    ["is not found behind a length of 1, which never ends", [3, 1, 3, 1, 3, 1, 3, 1], false],
    ["is the first of two", [2, 4, 1, 2, 2, 4, 9, 9], true],
    ["is not the second of two", [2, 4, 9, 9, 2, 4, 1, 2], false],
    ["of length 3 is none, and hides the next", [2, 3, 1, 1, 2, 4, 1, 2], false],
    ["of length 0 is none", [2, 0, 1, 2, 2, 4, 1, 2], false],
    ["of length 6 is read all the same", [2, 6, 1, 2, 0, 0, 0, 0], true],
    ["that goes over the options' end is none", [1, 1, 2, 4], false],
    ["in the last byte but one is none", [1, 1, 1, 2], false],
    ["is stepped over inside of another option", [3, 8, 2, 4, 1, 2, 0, 0], false],
  ] as const)("%s", async (_, options, found) => {
    expect(await holding(mss, [tcp(options)])).toEqual([found]);
  });

  test("is not read in what the packet does not have, or behind a data offset below 5", async () => {
    const packets = [tcp([2, 4, 1, 2], { words: 7 }), tcp([2, 4, 1, 2], { words: 4 })];
    expect(await holding(mss, packets)).toEqual([false, false]);
  });

  test("is TCP's only, and not a later fragment's", async () => {
    const { length } = tcp([2, 4, 1, 2]);
    const transport = tcp([2, 4, 1, 2]).subarray(length - 24);
    const packets = [
      packet({ transport, proto: 17 }),
      packet({ transport, fragment: { offset: 3, more: false } }),
    ];
    expect(await holding(mss, packets)).toEqual([false, false]);
  });
});

describe("the payload of TCP", () => {
  const first = number(slice("tcpPayload", 0, 16), 0x0708);

  test("starts behind the options, however long", async () => {
    const packets = Array.from({ length: 11 }, (_, words) =>
      tcp(new Array<number>(4 * words).fill(1), { payload: [7, 8] }),
    );
    expect(await holding(first, packets)).toEqual(packets.map(() => true));
    expect(await holding(not(first), packets)).toEqual(packets.map(() => false));
  });

  test("is none behind a data offset below 5, or where it is cut", async () => {
    const packets = [
      ...[0, 1, 4].map((words) => tcp([7, 8, 7, 8], { words, payload: [7, 8] })),
      tcp([], { payload: [7] }),
      tcp([]),
    ];
    expect(await holding(first, packets)).toEqual(packets.map(() => false));
  });

  test("of two bytes in one rule takes a line for each data offset, not for each pair", async () => {
    const both = and(number(slice("tcpPayload", 0, 8), 7), number(slice("tcpPayload", 8, 8), 8));
    const packets = [tcp([], { payload: [7, 8] }), tcp([1, 1, 1, 1], { payload: [7, 8] }), tcp([7, 8, 7, 8])];
    expect(await holding(both, packets)).toEqual([true, true, false]);
    const text = nft.emit(firewall([rule("r", "drop", both)]))[0]?.text ?? "";
    expect(text.match(/tcp doff/g)).toHaveLength(11);
  });
});

describe("a GRE key", () => {
  const key = number("gre.key", 0x01020304);
  const gre = (...bytes: readonly number[]) => packet({ proto: 47, transport: Uint8Array.from(bytes) });

  test("lies where the checksum and routing bits put it", async () => {
    const near = [1, 2, 3, 4, 0, 0, 0, 0];
    const far = [0, 0, 0, 0, 1, 2, 3, 4];
    expect(
      await holding(key, [
        gre(0x20, 0, 8, 0, ...near),
        gre(0x30, 0, 8, 0, ...near),
        gre(0xa0, 0, 8, 0, ...far),
        gre(0x60, 0, 8, 0, ...far),
        gre(0xe0, 0, 8, 0, ...far),
      ]),
    ).toEqual([true, true, true, true, true]);
    expect(
      await holding(key, [
        gre(0x20, 0, 8, 0, ...far),
        gre(0xa0, 0, 8, 0, ...near),
        gre(0x00, 0, 8, 0, ...near),
        gre(0x20, 1, 8, 0, ...near),
        gre(0x20, 0, 8, 0, 1, 2, 3),
      ]),
    ).toEqual([false, false, false, false, false]);
  });
});

describe("an IPv6 fragment header", () => {
  const more = number("fragment6.more", 1);
  const AH = [44, 0, 0, 0, 0, 0, 0, 1];

  test("behind an AH has the fields that are left of it where it is cut", async () => {
    const packets = [3, 4, 7, 8].map((length) => {
      const cut = [6, 0, 0, 1, 0, 0, 0, 0].slice(0, length);
      return packet({ family: 6, proto: 51, transport: Uint8Array.from([...AH, ...cut]) });
    });
    expect(await holding(more, packets)).toEqual([false, true, true, true]);
  });

  test("has reserved bits that are no part of its fields", async () => {
    const fragment = (low: number, high = 0) =>
      packet({
        family: 6,
        proto: 44,
        transport: Uint8Array.of(6, 0, high, low, 0, 0, 0, 0, ...new Array(20)),
      });
    const first = number("fragment6.field", 1, 3, 5, 7);
    expect(
      await holding(first, [fragment(1), fragment(3), fragment(6), fragment(0x0f), fragment(1, 1)]),
    ).toEqual([true, true, false, false, false]);
    const odd = number("fragment6.field", 0, [3, 5], [18, 4000], 65_535);
    const packets = [0, 1, 3, 4, 5, 6, 17, 18, 24].map((low) => fragment(low));
    expect(await holding(odd, packets)).toEqual([true, false, true, true, true, false, false, true, true]);
    await holding(odd, [
      fragment(0xa0, 0x0f),
      fragment(0xa1, 0x0f),
      fragment(0xff, 0xff),
      fragment(0xfe, 0xff),
    ]);
  });
});

test("a first next header that is not the transport protocol is no conflict", async () => {
  const match = and(number("ip6.next_header", 60), number("udp.dstport", 53));
  const transport = Uint8Array.of(0, 1, 0, 53, 0, 8, 0, 0);
  const packets = [
    packet({ family: 6, proto: 17, transport, extensions: [60] }),
    packet({ family: 6, proto: 17, transport }),
  ];
  expect(await holding(match, packets)).toEqual([true, false]);
});

test("the first option is one only where IPv4's header has options", async () => {
  const option = number("ip4.option.type", 1);
  const transport = Uint8Array.of(1, 1, 1, 1);
  expect(await holding(option, [packet({ transport, optionWords: 1 }), packet({ transport })])).toEqual([
    true,
    false,
  ]);
});
