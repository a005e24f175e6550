import { describe, expect, test } from "vitest";
import { Journeys } from "../../runtime/watch/journeys.js";
import { deciderAt, deciderNamed, ruleNames } from "../../runtime/watch/rules.js";
import { readSample, stampIn } from "../../runtime/watch/sample.js";
import { readTrace, type TraceMessage } from "../../runtime/watch/trace.js";
import { renderSummary, renderWatched, watchedJson } from "../../src/cli/render/watched.js";
import type { Manifest } from "../../src/targets/manifest.js";

const DEAD = "0254470100020254470100030800";
/** UDP from 10.1.2.3:1000 to 203.0.113.9:9, 40 bytes. */
const UDP = "4500002800000000401100000a010203cb71000903e8000900140000";

function sample(words: readonly number[], frame: string): Buffer {
  const bytes = Buffer.alloc(32 + 128);
  bytes.writeBigUInt64LE(5_000_000_007n);
  words.forEach((word, index) => {
    bytes.writeUInt32LE(word, 8 + 4 * index);
  });
  bytes.write(frame, 32, "hex");
  return bytes;
}

describe("a sample of XDP", () => {
  test("is a frame, and why it was dropped", () => {
    expect(readSample(sample([3, 1514, 9, 4, 0, 14], DEAD))).toEqual({
      at: 5_000_000_007n,
      device: 3,
      length: 1514,
      cause: "rule",
      slot: 9,
      rule: 4,
      frame: Buffer.from(DEAD, "hex"),
    });
    expect(readSample(sample([3, 14, 0xffff_ffff, 0, 1, 14], DEAD))).toMatchObject({
      cause: "malformed",
      slot: null,
    });
  });

  test.each([
    ["cut", sample([3, 14, 0, 0, 0, 14], DEAD).subarray(0, 40)],
    ["without a head", Buffer.alloc(31)],
    ["of a cause that nobody knows", sample([3, 14, 0, 0, 3, 14], DEAD)],
  ])("%s is none", (_, bytes) => {
    expect(readSample(bytes)).toBeUndefined();
  });

  test("has the stamp of its generation in its Ethernet source, and in no other", () => {
    expect(stampIn(Buffer.from(DEAD, "hex"))).toBe(3);
    expect(stampIn(Buffer.from(DEAD.replace("0254470100030", "0254470200030"), "hex"))).toBe(0);
    expect(stampIn(Buffer.alloc(0))).toBe(0);
  });
});

const MANIFEST = {
  mitigate: [{ name: "bogons", action: "drop", line: 7 }],
  firewall: {
    default: "reject",
    early: true,
    rules: [
      { name: "web", action: "allow", line: 11 },
      { name: "ssh", action: "reject", line: 12 },
    ],
  },
} as unknown as Manifest;

describe("who decided", () => {
  test.each<[number, object | undefined]>([
    [0, { stage: "mitigate", rule: "bogons", line: 7, verdict: "drop" }],
    // What passes `mitigate` is counted there, and not dropped.
    [1, undefined],
    [2, { stage: "firewall", rule: "web", line: 11, verdict: "drop" }],
    [3, { stage: "firewall", rule: "ssh", line: 12, verdict: "drop" }],
    [4, { stage: "firewall", rule: null, line: null, verdict: "drop" }],
    [5, undefined],
  ])("counter %i", (index, decider) => {
    expect(deciderAt(MANIFEST, index)).toEqual(decider);
  });

  test("in a program that does not ask the firewall, only rules of `mitigate`", () => {
    const late = { ...MANIFEST, firewall: { ...MANIFEST.firewall, early: false } };
    expect(deciderAt(late, 2)).toBeUndefined();
  });

  test.each<[string, boolean, object | undefined]>([
    ["web", false, { stage: "firewall", rule: "web", line: 11, verdict: "allow" }],
    ["ssh", true, { stage: "firewall", rule: "ssh", line: 12, verdict: "reject" }],
    ["default", true, { stage: "firewall", rule: null, line: null, verdict: "reject" }],
    ["unknown-generation", true, undefined],
    ["bogons", true, undefined],
  ])("%s of the firewall", (name, dropped, decider) => {
    expect(deciderNamed(MANIFEST, name, dropped)).toEqual(decider);
  });

  test("has one of these names", () => {
    const customer = { manifest: MANIFEST } as Parameters<typeof ruleNames>[0][number];
    expect([...ruleNames([customer])]).toEqual(["default", "bogons", "web", "ssh"]);
  });
});

/** As the kernel sent it: the end of `chain prerouting`, and a rule with the packet. */
const POLICY =
  "08000f000000000208000400000000010800060022eec8600f000200707265726f7574696e6700001300010074696465676174652d776174636800000800100000000001";
const RULE =
  "08000f000000000208000400000000030800060022eec8600f000200707265726f7574696e6700001300010074696465676174652d776174636800000c00030000000000000000020c00050008000100ffffffff08000a000000000106000b00030400001800080045000054b08e400040018c167f0000017f000003180009000800690b0d920001a622036b00000000130106001200070000000000000000000000000008000000";

describe("a message of a trace", () => {
  test("is a rule that was met, first of all with the packet", () => {
    expect(readTrace(Buffer.from(RULE, "hex"))).toEqual({
      id: 0x22eec860,
      kind: "rule",
      table: "tidegate-watch",
      chain: "prerouting",
      handle: 2n,
      verdict: "continue",
      packet: {
        ethernet: Buffer.from("0000000000000000000000000800", "hex"),
        bytes: Buffer.from(
          "45000054b08e400040018c167f0000017f0000030800690b0d920001a622036b0000000013010600",
          "hex",
        ),
      },
    });
  });

  test("or the end of a chain", () => {
    expect(readTrace(Buffer.from(POLICY, "hex"))).toMatchObject({
      kind: "policy",
      verdict: "accept",
      packet: null,
    });
  });

  test("cut anywhere is none, or one with less in it", () => {
    const whole = Buffer.from(RULE, "hex");
    for (let length = 0; length < whole.length; length++)
      expect(readTrace(whole.subarray(0, length))?.table ?? "tidegate-watch").toBe("tidegate-watch");
  });
});

function message(change: Partial<TraceMessage>): TraceMessage {
  const step = { id: 1, kind: "rule", table: "tidegate", chain: "firewall", handle: 1n } as const;
  return { ...step, verdict: "continue", packet: null, ...change };
}

const PACKET = { ethernet: Buffer.from(DEAD, "hex"), bytes: Buffer.from(UDP, "hex") };

describe("the messages of a packet", () => {
  test("tell what was decided, and the steps to it that may have a name, the last first", () => {
    const journeys = new Journeys("tidegate");
    const all = [
      message({ table: "tidegate-watch", packet: PACKET }),
      message({ table: "tidegate-watch", kind: "policy", verdict: "accept", handle: 0n }),
      message({ chain: "judge", verdict: "goto", handle: 2n }),
      message({ handle: 3n }),
      message({ verdict: "jump", handle: 4n }),
      message({ verdict: "goto", handle: 5n }),
      message({ chain: "rejected", verdict: "drop", handle: 6n }),
    ].map((one) => journeys.add(one));
    expect(all.slice(0, -1)).toEqual(Array(6).fill(undefined));
    expect(all.at(-1)).toEqual({
      verdict: "drop",
      ...PACKET,
      steps: [
        { chain: "rejected", handle: 6n },
        { chain: "firewall", handle: 5n },
        { chain: "judge", handle: 2n },
      ],
    });
  });

  test("of several packets are told apart", () => {
    const journeys = new Journeys("tidegate");
    journeys.add(message({ id: 1, packet: PACKET }));
    journeys.add(message({ id: 2, packet: { ...PACKET, bytes: Buffer.alloc(20) } }));
    expect(journeys.add(message({ id: 1, verdict: "accept" }))?.bytes).toBe(PACKET.bytes);
    expect(journeys.add(message({ id: 1, verdict: "drop" }))).toBeUndefined();
    expect(journeys.add(message({ id: 2, verdict: "drop" }))?.bytes).toHaveLength(20);
  });

  test("are forgotten when their end was lost", () => {
    const journeys = new Journeys("tidegate");
    for (let id = 0; id <= 1024; id++) journeys.add(message({ id, packet: PACKET }));
    expect(journeys.add(message({ id: 0, verdict: "drop" }))).toBeUndefined();
    expect(journeys.add(message({ id: 1024, verdict: "drop" }))).toBeDefined();
  });
});

describe("a line", () => {
  const watched = {
    at: 1_763_817_600_000_042_000n,
    customer: "acme",
    generation: 3,
    verdict: "drop",
    stage: "mitigate",
    rule: "bogons",
    line: 7,
    file: "acme.policy.ts",
    reason: null,
    where: "xdp",
    link: "ethernet",
    bytes: Buffer.from(DEAD + UDP, "hex"),
    length: 54,
  } as const;
  const plain = (line: string) => line.replace(/^\S+ /, "");

  test("says who, what, why, and the packet as far as it was kept", () => {
    expect(renderWatched(watched)).toMatch(/^\d\d:\d\d:\d\d\.000042 /);
    expect(plain(renderWatched(watched))).toBe(
      "acme drop mitigate bogons:7 udp 10.1.2.3:1000 > 203.113.0.9:9 ttl=64 len=40",
    );
  });

  test.each([
    [{ rule: null, line: null, stage: "firewall" }, "acme drop firewall default udp"],
    [{ reason: "the customer is closed", stage: "root" }, "acme drop root (the customer is closed) udp"],
    [
      { customer: null, verdict: "malformed", stage: "root", length: 30 },
      "- malformed root a packet of 28 bytes: it is longer than the frame",
    ],
    [{ bytes: Buffer.alloc(60), length: 60 }, "acme drop mitigate bogons:7 a frame of 60 bytes"],
    [
      { link: "ip", bytes: Buffer.from(UDP, "hex"), length: null },
      "acme drop mitigate bogons:7 udp 10.1.2.3:1000",
    ],
  ] as const)("%o", (change, start) => {
    expect(plain(renderWatched({ ...watched, ...change }))).toMatch(
      new RegExp(`^${start.replace(/[()]/g, "\\$&")}`),
    );
  });

  test("as JSON has the words of `explain --json`, and the bytes", () => {
    expect(watchedJson(watched)).toEqual({
      at: "2025-11-22T13:20:00.000Z",
      packet: "udp 10.1.2.3:1000 > 203.113.0.9:9 ttl=64 len=40",
      verdict: "drop",
      stage: "mitigate",
      rule: "bogons",
      line: 7,
      file: "acme.policy.ts",
      customer: "acme",
      generation: 3,
      reason: null,
      where: "xdp",
      hex: UDP,
    });
  });

  test("at the end says what was not shown", () => {
    const drops = { seen: 1000, taken: 100, lost: 0 };
    expect(renderSummary({ drops, tracesLost: 0 }, 1)).toBe(
      "1 packet shown; XDP dropped 1000 of those watched, and sampled 100",
    );
    expect(renderSummary({ drops: { ...drops, lost: 3 }, tracesLost: 2 }, 9)).toMatch(
      /3 samples lost; traces of firewalls lost 2 times$/,
    );
  });
});
