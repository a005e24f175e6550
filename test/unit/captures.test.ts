import { describe, expect, test } from "vitest";
import { ByteInput } from "../../src/cli/captures/byte-input.js";
import { capturedFrames } from "../../src/cli/captures/capture.js";
import { CaptureError } from "../../src/cli/captures/frame.js";
import { judgeCapture } from "../../src/cli/captures/judge.js";
import { linkPayload } from "../../src/cli/captures/link.js";
import { capturedPackets } from "../../src/cli/captures/packets.js";
import { analyze } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import {
  block,
  interfaceBlock,
  joined,
  obsoletePacketBlock,
  option,
  packetBlock,
  pcapFile,
  type Recorded,
  section,
  simplePacketBlock,
  text,
  u16,
  u32,
} from "../support/capture-files.js";
import { policyText } from "../support/reading.js";

const ETHERNET = 1;
const RAW = 101;

/** Bytes that come in small pieces, as those of a pipe may. */
function inputOf(bytes: Uint8Array, piece = 7): ByteInput {
  let at = 0;
  return new ByteInput((into) => {
    const next = bytes.subarray(at, at + Math.min(piece, into.length));
    into.set(next);
    at += next.length;
    return next.length;
  });
}

function framesOf(bytes: Uint8Array, piece?: number): readonly object[] {
  const frames: object[] = [];
  for (const { bytes: captured, ...rest } of capturedFrames(inputOf(bytes, piece))) {
    frames.push({ ...rest, bytes: Buffer.from(captured).toString("hex") });
  }
  return frames;
}

/** What was read before the problem, and the problem. */
function untilProblem(bytes: Uint8Array): readonly [packets: number, offset: number, message: string] {
  let packets = 0;
  try {
    for (const frame of capturedFrames(inputOf(bytes))) {
      linkPayload(frame);
      packets += 1;
    }
  } catch (problem) {
    if (problem instanceof CaptureError) return [packets, problem.offset, problem.message];
    throw problem;
  }
  throw new Error("the capture is whole");
}

function bytesOf(packet: string): Uint8Array {
  const parsed = parsePacket(packet);
  if (parsed.kind !== "packet") throw new Error(packet);
  return parsed.bytes;
}

const UDP = bytesOf("udp 192.0.2.7:5000 > 203.0.113.9:53 payload=6869");
const UDP6 = bytesOf("udp [2001:db8::7]:5000 > [2001:db8:a::9]:53");

describe("pcap", () => {
  test.each([
    ["little-endian, microseconds", { little: true, nanoseconds: false }, 1_500_000n, 1_500_000_000n],
    ["big-endian, microseconds", { little: false, nanoseconds: false }, 1_500_000n, 1_500_000_000n],
    ["little-endian, nanoseconds", { little: true, nanoseconds: true }, 1_500_000_001n, 1_500_000_001n],
    ["big-endian, nanoseconds", { little: false, nanoseconds: true }, 1_500_000_001n, 1_500_000_001n],
  ])("%s", (_, format, time, at) => {
    const packets = [
      { bytes: text("abc"), time },
      { bytes: text("d"), original: 60 },
    ];
    expect(framesOf(pcapFile({ ...format, linkType: RAW }, packets))).toEqual([
      { offset: 24, linkType: RAW, littleEndian: format.little, bytes: "616263", originalLength: 3, at },
      { offset: 43, linkType: RAW, littleEndian: format.little, bytes: "64", originalLength: 60, at: 0n },
    ]);
  });

  test("the upper half of the link type tells of a frame check sequence", () => {
    const file = pcapFile({ little: true, linkType: 0x2400_0001 }, [{ bytes: text("abc") }]);
    expect(framesOf(file)).toMatchObject([{ linkType: ETHERNET }]);
  });

  test("a packet longer than what is read at once", () => {
    const bytes = new Uint8Array(200_000).fill(5);
    const file = pcapFile({ little: true, linkType: RAW }, Array(12).fill({ bytes }));
    expect(framesOf(file, 1 << 16)).toMatchObject(Array(12).fill({ bytes: "05".repeat(200_000) }));
  });
});

describe.each([true, false])("pcapng, little-endian: %s", (little) => {
  test("several interfaces, their options, and blocks that say nothing of packets", () => {
    const nanoseconds = option(little, 9, Uint8Array.of(9));
    const halves = option(little, 9, Uint8Array.of(0x81));
    const later = option(little, 14, joined(little ? [u32(little, 10, 0)] : [u32(little, 0, 10)]));
    const file = section(
      little,
      interfaceBlock(little, ETHERNET),
      interfaceBlock(little, RAW, 0, [option(little, 2, text("eth7")), nanoseconds, u32(little, 0)]),
      interfaceBlock(little, 113, 0, [halves, later]),
      block(little, 4, text("names")),
      packetBlock(little, 0, { bytes: text("a"), time: 2_000_000n }),
      packetBlock(little, 1, { bytes: text("b"), time: 5_000_000_000n, original: 9 }),
      obsoletePacketBlock(little, 2, { bytes: text("c"), time: 3n }),
      block(little, 0x0bad, text("of another program")),
    );
    expect(framesOf(file)).toMatchObject([
      { linkType: ETHERNET, bytes: "61", originalLength: 1, at: 2_000_000_000n },
      { linkType: RAW, bytes: "62", originalLength: 9, at: 5_000_000_000n },
      { linkType: 113, bytes: "63", originalLength: 1, at: 11_500_000_000n },
    ]);
  });

  test("a simple packet has no time, and as many bytes as its interface keeps", () => {
    const file = section(
      little,
      interfaceBlock(little, RAW, 2),
      simplePacketBlock(little, { bytes: text("ab"), original: 700 }),
    );
    expect(framesOf(file)).toMatchObject([{ bytes: "6162", originalLength: 700, at: null }]);
  });

  test("a new section has its own byte order and interfaces", () => {
    const one = (order: boolean, linkType: number) =>
      section(order, interfaceBlock(order, linkType), packetBlock(order, 0, { bytes: text("a") }));
    expect(framesOf(joined([one(little, RAW), one(!little, ETHERNET)]))).toMatchObject([
      { linkType: RAW, littleEndian: little },
      { linkType: ETHERNET, littleEndian: !little },
    ]);
  });
});

const MACS = new Uint8Array(12);
const be = (...values: readonly number[]) => u16(false, ...values);

describe("what a frame carries", () => {
  test.each<[string, number, Uint8Array, object | undefined]>([
    ["Ethernet", 1, joined([MACS, be(0x0800), UDP]), { family: 4, vlan: null }],
    ["Ethernet with a tag", 1, joined([MACS, be(0x8100, 7, 0x86dd), UDP6]), { family: 6, vlan: 7 }],
    ["two tags", 1, joined([MACS, be(0x88a8, 5, 0x8100, 7, 0x0800), UDP]), { family: 4, vlan: 5 }],
    ["ARP", 1, joined([MACS, be(0x0806), UDP]), undefined],
    ["raw", 101, UDP, { family: undefined, vlan: null }],
    ["IPv4", 228, UDP, { family: 4, vlan: null }],
    ["IPv6", 229, UDP6, { family: 6, vlan: null }],
    ["Linux cooked", 113, joined([new Uint8Array(14), be(0x0800), UDP]), { family: 4, vlan: null }],
    ["Linux cooked with a tag", 113, joined([new Uint8Array(14), be(0x8100, 9, 0x0800), UDP]), { vlan: 9 }],
    ["Linux cooked 2", 276, joined([be(0x86dd), new Uint8Array(18), UDP6]), { family: 6, vlan: null }],
    [
      "Linux cooked 2 with a tag",
      276,
      joined([be(0x8100), new Uint8Array(18), be(9, 0x0800), UDP]),
      { vlan: 9 },
    ],
    ["loopback of a little-endian machine", 0, joined([u32(true, 2), UDP]), { family: 4 }],
    ["loopback of a big-endian machine", 0, joined([u32(false, 30), UDP6]), { family: 6 }],
    ["OpenBSD's loopback", 108, joined([u32(false, 24), UDP6]), { family: 6 }],
    ["loopback of something else", 0, joined([u32(false, 7), UDP]), undefined],
    [
      "NFLOG",
      239,
      joined([
        Uint8Array.of(2, 0, 0, 1),
        u16(true, 5, 10),
        text("x\0\0\0"),
        u16(true, 4 + UDP.length, 9),
        UDP,
      ]),
      { family: 4 },
    ],
    ["a header that is cut", 276, new Uint8Array(19), undefined],
  ])("%s", (_, linkType, bytes, carried) => {
    const [frame] = capturedFrames(inputOf(pcapFile({ little: true, linkType }, [{ bytes }])));
    const payload = frame && linkPayload(frame);
    if (!carried) return expect(payload).toBeUndefined();
    expect(payload).toMatchObject(carried);
    expect([UDP, UDP6].map((one) => Buffer.from(one).toString("hex"))).toContain(
      Buffer.from(payload?.bytes ?? []).toString("hex"),
    );
  });
});

describe("a capture that cannot be read", () => {
  const two = pcapFile({ little: true, linkType: RAW }, [{ bytes: UDP }, { bytes: UDP }]);
  const ng = section(true, interfaceBlock(true, RAW), packetBlock(true, 0, { bytes: UDP }));
  const damaged = (bytes: Uint8Array, at: number, ...values: readonly number[]) => {
    const copy = Uint8Array.from(bytes);
    copy.set(values, at);
    return copy;
  };

  test.each<[string, Uint8Array, readonly [number, number, RegExp]]>([
    ["empty", new Uint8Array(0), [0, 0, /it is empty/]],
    ["text", text("tcp 192.0.2.7"), [0, 0, /begins with 74637020/]],
    ["packed", Uint8Array.of(0x1f, 0x8b, 8, 0), [0, 0, /gzip; unpack it first/]],
    ["pcap: its header is cut", two.subarray(0, 20), [0, 0, /file header is cut off/]],
    [
      "pcap: a packet's header is cut",
      two.subarray(0, 24 + 16 + UDP.length + 5),
      [1, 70, /header is cut off/],
    ],
    [
      "pcap: a packet is cut",
      two.subarray(0, two.length - 3),
      [1, 70, /3 of 30 bytes of its last packet are missing/],
    ],
    ["pcap: too long a packet", damaged(two, 24 + 10, 0xff), [0, 24, /16711710 bytes, where 262144/]],
    [
      "pcap: a link that is not read",
      pcapFile({ little: true, linkType: 127 }, [{ bytes: UDP }]),
      [0, 24, /link type 127/],
    ],
    ["pcapng: no byte order", damaged(ng, 8, 0), [0, 0, /does not say its byte order/]],
    [
      "pcapng: a block is cut",
      ng.subarray(0, ng.length - 8),
      [0, 48, /8 of 84 bytes of its last block are missing/],
    ],
    [
      "pcapng: only the start of a block",
      joined([ng, text("abcd")]),
      [1, ng.length, /block's header is cut off/],
    ],
    ["pcapng: lengths that differ", damaged(ng, ng.length - 4, 4), [0, 48, /and at its end/]],
    ["pcapng: a length of none", damaged(ng, 48 + 4, 3), [0, 48, /is 3 bytes long, which none is/]],
    ["pcapng: an unknown interface", damaged(ng, 48 + 8, 2), [0, 48, /interface 2, which no block/]],
    ["pcapng: a packet beyond its block", damaged(ng, 48 + 20, 0xff), [0, 48, /longer than its block/]],
    [
      "pcapng: a short packet block",
      section(true, interfaceBlock(true, 1), block(true, 6, text("ab"))),
      [0, 48, /too short/],
    ],
    [
      "pcapng: a short interface",
      section(true, block(true, 1, text("ab"))),
      [0, 28, /description is cut off/],
    ],
    [
      "pcapng: an option beyond its block",
      section(true, interfaceBlock(true, 1, 0, [u16(true, 9, 40)])),
      [0, 28, /option is cut off/],
    ],
  ])("%s", (_, bytes, [packets, offset, message]) => {
    expect(untilProblem(bytes)).toEqual([packets, offset, expect.stringMatching(message)]);
  });
});

function policyOf(firewall: string, mitigate = ""): Policy {
  const { policy, diagnostics } = analyze("acme.policy.ts", policyText({ rules: firewall, mitigate }));
  if (!policy) throw new Error(JSON.stringify(diagnostics));
  return policy;
}

function outcomes(policy: Policy, packets: readonly Recorded[], linkType = RAW): readonly string[] {
  const file = pcapFile({ little: true, linkType }, packets);
  return [...judgeCapture(policy, capturedPackets(capturedFrames(inputOf(file))))].map(
    ({ outcome }) => outcome,
  );
}

describe("a packet that the capture cut", () => {
  const policy = policyOf(
    'drop("magic", expr`udp.dstport == 53 and payload.u16(0) == 0x6869`), allow("dns", expr`udp.dstport == 53`)',
  );
  const long = bytesOf("udp 192.0.2.7:5000 > 203.0.113.9:53 payload=68690000 len=400");
  const web = bytesOf("tcp 192.0.2.7:5000 > 203.0.113.9:53 len=400");
  const six = bytesOf("udp [2001:db8::7]:5000 > [2001:db8:a::9]:53 len=400");
  const cut = (bytes: Uint8Array, kept: number) => [
    { bytes: bytes.subarray(0, kept), original: bytes.length },
  ];

  test.each<[string, readonly Recorded[], string]>([
    ["whole", cut(long, 400), "drop"],
    ["behind all that the rules ask for", cut(long, 30), "drop"],
    ["in the payload that a rule asks for", cut(long, 29), "unclear"],
    ["in the ports", cut(long, 23), "unclear"],
    ["in the IP header", cut(long, 19), "unclear"],
    ["where another protocol's payload is", cut(web, 24), "drop"],
    ["in the IPv6 header", cut(six, 39), "unclear"],
    ["in IPv6's payload", cut(six, 48), "unclear"],
    ["only padding is missing", [{ bytes: UDP, original: 60 }], "drop"],
    ["before the bytes that say that it is malformed", cut(Uint8Array.of(0x45), 1), "malformed"],
    [
      "malformed by what is there",
      [{ bytes: Uint8Array.from([0x41, ...long.subarray(1, 20)]), original: 400 }],
      "malformed",
    ],
  ])("%s", (_, packets, outcome) => {
    expect(outcomes(policy, packets)).toEqual([outcome]);
  });

  test("within its link's header", () => {
    const frame = joined([MACS, be(0x8100, 7)]);
    expect(outcomes(policy, [{ bytes: frame, original: 60 }], ETHERNET)).toEqual(["unclear"]);
    expect(outcomes(policy, [{ bytes: joined([MACS, be(0x0806)]) }], ETHERNET)).toEqual(["notIp"]);
  });
});

describe("time", () => {
  const policy = policyOf(
    'allow("all", expr`ip.ttl > 0`)',
    'limit("slow", expr`ip.ttl > 0`, { rate: "1/s", burst: 1 })',
  );
  const at = (...seconds: readonly number[]) =>
    seconds.map((second): Recorded => ({ bytes: UDP, time: 1_700_000_000_000_000n + BigInt(second * 1e6) }));

  test("is the capture's, and limits see it", () => {
    expect(outcomes(policy, at(0, 0.5, 1, 1.5, 2))).toEqual(["allow", "drop", "allow", "drop", "allow"]);
  });

  test("does not run backwards", () => {
    expect(outcomes(policy, at(5, 4, 3, 6))).toEqual(["allow", "drop", "drop", "allow"]);
  });
});

test("idle keys of limits are forgotten, and nobody can tell", () => {
  const policy = policyOf(
    'allow("all", expr`ip.ttl > 0`)',
    'limit("slow", expr`ip.ttl > 0`, { rate: "1/s", burst: 1, per: "ip.src" })',
  );
  const spoofed = Array.from({ length: 100_001 }, (_, index): Recorded => {
    const bytes = Uint8Array.from(UDP);
    new DataView(bytes.buffer).setUint32(12, 0x0b00_0000 + index);
    return { bytes, time: BigInt(index) * 20n };
  });
  const again = [
    { ...spoofed[100_000], time: 2_500_000n },
    { ...spoofed[0], time: 2_500_000n },
  ] as const;
  const judged = outcomes(policy, [...spoofed, ...(again as readonly Recorded[])]);
  expect(judged.slice(0, -2).filter((outcome) => outcome !== "gate" && outcome !== "allow")).toEqual([]);
  expect(judged.at(-2)).toBe("drop");
  expect(judged.at(-1)).not.toBe("drop");
});
