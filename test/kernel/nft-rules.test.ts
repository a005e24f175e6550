import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Probe } from "../../runtime/probe-client.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { evaluateReturn } from "../../src/compiler/semantics/evaluate.js";
import { nft } from "../../src/targets/nft/target.js";
import { firewall, hourly } from "../support/firewall-policies.js";
import { cutUp } from "../support/fragments.js";
import {
  address,
  and,
  bits,
  constant,
  inList,
  list,
  not,
  number,
  or,
  range,
  rule,
  xor,
} from "../support/ir.js";
import { type PacketShape, packetBytes } from "../support/packet-bytes.js";
import { askingBoth, PROBE_ANSWERS } from "../support/probe-answers.js";

/** Each thing that nftables could get wrong, by name, in the real kernel. */

let probe: Probe;

beforeAll(async () => {
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(() => probe?.close());

function ruleset(policy: Policy): string {
  return nft.emit(policy)[0]?.text ?? "";
}

function packet(shape: Partial<PacketShape> & { readonly from?: string; readonly to?: string }): Uint8Array {
  const family = shape.family ?? 4;
  const {
    from = family === 4 ? "192.0.2.7" : "2001:db8:9::7",
    to = family === 4 ? "203.0.113.9" : "2001:db8::9",
  } = shape;
  return packetBytes({
    family,
    src: range(from).range.low,
    dst: range(to).range.low,
    proto: 6,
    transport: tcp(80, 0x02),
    fragment: null,
    optionWords: 0,
    extensions: [],
    padding: 0,
    ...shape,
  });
}

function tcp(port: number, flags: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(40_000, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt8(0x50, 12);
  bytes.writeUInt8(flags, 13);
  return bytes;
}

/** Counters that counted, of the table that is loaded. */
async function counted(): Promise<Record<string, number>> {
  const counters = [...(await probe.nftCounters())].filter(([, { packets }]) => packets > 0);
  return Object.fromEntries(counters.map(([name, { packets }]) => [name, packets]));
}

async function count(policy: Policy, packets: readonly Uint8Array[]): Promise<Record<string, number>> {
  await probe.nftLoad(ruleset(policy));
  await probe.nftRun(packets);
  return counted();
}

const port80 = number("tcp.dstport", 80);

describe("a later fragment", () => {
  /** Its payload looks like a TCP header to port 80. */
  const later = packet({ fragment: { offset: 5, more: false } });
  const later6 = packet({ family: 6, fragment: { offset: 5, more: true } });

  test("has no port, though its payload looks like one", async () => {
    const policy = firewall([rule("web", "allow", port80)]);
    expect(await count(policy, [later, later6])).toEqual({ default: 2 });
    expect(await count(policy, [packet({}), packet({ family: 6 })])).toEqual({ "rule-web": 2 });
  });

  test("would have one without the guard: this kernel reads it, so the test above can fail", async () => {
    const unguarded = ruleset(firewall([rule("web", "allow", port80)])).replace(/.*frag-off.*\n/g, "");
    await probe.nftLoad(unguarded);
    await probe.nftRun([later]);
    expect(await counted()).toEqual({ "rule-web": 1 });
  });

  test("has no port in IPv6 either, whatever its flow label says", async () => {
    const labelled = Uint8Array.from(later6);
    labelled.set([0x60, 0x00, 0x00, 80], 0);
    expect(await count(firewall([rule("web", "allow", port80)]), [labelled])).toEqual({ default: 1 });
  });

  test("meets `not`: what is absent is not equal", async () => {
    const policy = firewall([rule("rest", "allow", not(port80))]);
    expect(await count(policy, [later, later6, packet({})])).toEqual({ "rule-rest": 2, default: 1 });
  });
});

describe("flags", () => {
  const syn = packet({ transport: tcp(80, 0x02) });
  const synAck = packet({ transport: tcp(80, 0x12) });

  test("as a number are exact", async () => {
    const policy = firewall([rule("syn", "drop", number("tcp.flags", 0x02))]);
    expect(await count(policy, [syn, synAck])).toEqual({ "rule-syn": 1, default: 1 });
  });

  test("as bits are not", async () => {
    const policy = firewall([rule("syn", "drop", bits("tcp.flags", 0x02))]);
    expect(await count(policy, [syn, synAck])).toEqual({ "rule-syn": 2 });
  });
});

describe("a limit", () => {
  test("with alternatives that all match takes one token a packet", async () => {
    const match = or(port80, number("ip.proto", 6), bits("tcp.flags", 0x02));
    const policy = firewall([rule("once", hourly(3, "ip.src"), match)]);
    const packets = Array.from({ length: 5 }, () => packet({}));
    expect(await count(policy, packets)).toEqual({ "rule-once": 2, default: 3 });
  });

  test("is one for whole packets and later fragments", async () => {
    const policy = firewall([rule("all", hourly(3, null), constant(true))]);
    const fragment = packet({ fragment: { offset: 5, more: false } });
    expect(await count(policy, [packet({}), fragment, fragment, packet({}), fragment])).toEqual({
      "rule-all": 2,
      default: 3,
    });
  });

  test("counts a packet of a new key as over the rate when its table is full", async () => {
    const keys = 65_536;
    const from = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const packets = Array.from({ length: keys + 10 }, (_, index) => packet({ from: from(index) }));
    const policy = firewall([rule("full", hourly(2, "ip.src"), constant(true))]);
    expect(await count(policy, [...packets, packet({ from: from(0) })])).toEqual({
      "rule-full": 10,
      default: keys + 1,
    });
  });
});

describe("the way back", () => {
  /** The probe's device is called `edge`; under another name it is a tunnel. */
  async function returned(
    packets: readonly Uint8Array[],
    policy = firewall([]),
  ): Promise<Record<string, number>> {
    await probe.nftLoad(ruleset(policy).replaceAll('"edge"', '"other"'));
    await probe.nftRun(packets);
    return counted();
  }

  const own = [
    packet({ from: "203.0.113.9", to: "192.0.2.7" }),
    packet({ family: 6, from: "2001:db8::9", to: "2001:db9::7" }),
  ];

  test("is open to the customer's own sources only", async () => {
    const spoofed = [packet({ from: "192.0.2.7" }), packet({ family: 6, from: "2001:db9::7" })];
    expect(await returned([...own, ...spoofed])).toEqual({ "return-passed": 2, "return-spoofed": 2 });
  });

  const asking = askingBoth(firewall([]));

  test.each(PROBE_ANSWERS)("of who is asked by probes, %s", async (_, packet, verdict) => {
    expect(await returned([packet], asking)).toEqual({ [`return-${verdict}`]: 1 });
    expect(evaluateReturn(asking, packet)).toBe(verdict);
  });

  /** As they are; and those without extension headers in fragments, few and many, the first one first or last. */
  const whole = PROBE_ANSWERS.filter(([name]) => !/fragment|more headers|IPv6 with/.test(name));
  const pieces = [
    ...PROBE_ANSWERS.map(([, bytes]) => bytes),
    ...[...whole.map(([, bytes]) => bytes), ...own].flatMap((bytes, id) => [
      ...cutUp(bytes, 48, id),
      ...[...cutUp(bytes, 8, id + 1000)].reverse(),
    ]),
  ];

  test.each([
    ["stateless", false],
    ["stateful", true],
  ])("behind a %s firewall has the reference's count after each fragment", async (_, stateful) => {
    const policy = { ...asking, firewall: { ...asking.firewall, stateful } };
    const expected: Record<string, number> = {};
    await returned([], policy);
    for (const bytes of pieces) {
      const fate = `return-${evaluateReturn(policy, bytes)}`;
      expected[fate] = (expected[fate] ?? 0) + 1;
      await probe.nftRun([bytes]);
      expect({ after: Buffer.from(bytes).toString("hex"), ...(await counted()) }).toEqual({
        after: Buffer.from(bytes).toString("hex"),
        ...expected,
      });
    }
  });
});

test("a packet that is not to the customer is dropped and counted apart", async () => {
  const policy = firewall([rule("all", "allow", constant(true))]);
  const packets = [packet({ to: "198.51.100.1" }), packet({ family: 6, to: "2001:db9::1" }), packet({})];
  expect(await count(policy, packets)).toEqual({ foreign: 2, "rule-all": 1 });
});

describe("nft takes", () => {
  beforeEach(() => probe.nftLoad("table inet tidegate\ndelete table inet tidegate\n"));

  const everything = ["0.0.0.0/0", "::/0"];
  const edges = [
    "0.0.0.0",
    "0.0.0.2-9.255.255.255",
    "255.255.255.255",
    "::",
    "ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ];

  test.each(["fwd", "limit", "drop", "default", "ip", "counter", "a".repeat(32)])(
    "rule name %s",
    async (name) => {
      const odd = firewall(
        [rule(name, hourly(1, "ip.src"), xor(inList("ip.src", name, 4), port80))],
        [list(name)],
      );
      expect(await count(odd, [packet({})])).toEqual({ default: 1 });
    },
  );

  test.each([
    ["of everything", everything],
    ["of the first and the last addresses", edges],
    ["of nothing", []],
  ])("a list %s", async (_, items) => {
    const match = or(inList("ip.src", "l", 4), inList("ip.src", "l", 6));
    const policy = firewall([rule("r", "allow", match)], [list("l", ...items)]);
    const packets = ["0.0.0.2", "10.0.0.0", "192.0.2.1", "::2", "4000::"].map((from) =>
      packet({ family: from.includes(":") ? 6 : 4, from }),
    );
    const inside = items === everything ? 5 : items === edges ? 1 : 0;
    const outside = packets.length - inside;
    const both = { "rule-r": inside, default: outside };
    expect(await count(policy, packets)).toEqual(
      Object.fromEntries(Object.entries(both).filter(([, packets]) => packets > 0)),
    );
  });

  test("the longest time that a key can be kept", async () => {
    const longest = firewall([rule("r", hourly(1_281_023, "ip.src"), constant(true))]);
    await probe.nftLoad(ruleset(longest));
    expect(await probe.nftLoad("list set inet tidegate limit-r-4")).toContain("timeout 53375d23h");
  });

  test("as many lines as the check lets through", async () => {
    const clauses = Array.from({ length: 8 }, (_, i) =>
      or(number("tcp.dstport", [0, 79 - i], [81, 65535]), bits("tcp.flags", i + 1)),
    );
    const policy = firewall([
      rule("long", "drop", and(...clauses)),
      rule("rest", "allow", address("ip.src", "0.0.0.0/0")),
    ]);
    expect(
      await count(policy, [packet({ transport: tcp(81, 0) }), packet({ transport: tcp(80, 0) })]),
    ).toEqual({
      "rule-long": 1,
      "rule-rest": 1,
    });
  });

  test("its own output once more, and the same policy gives the same bytes", async () => {
    const policy = firewall([rule("web", "allow", port80)]);
    expect(ruleset(policy)).toBe(ruleset(structuredClone(policy)));
    execFileSync("unshare", ["--net", "nft", "-c", "-f", "-"], { input: ruleset(policy) });
  });
});
