import { describe, expect, test } from "vitest";
import { writeChecksums } from "../../src/compiler/analysis/packets/build.js";
import { invariant } from "../../src/compiler/diagnostics/invariant.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { positionsOf } from "../../src/verify/boundary.js";
import { find } from "../../src/verify/find.js";
import { groundOf } from "../../src/verify/ground.js";
import { type Mutant, mutantsOf } from "../../src/verify/mutants.js";
import { tellsApart } from "../../src/verify/observe.js";
import { boundaryPackets, randomPackets, type TestPacket, witnessSuite } from "../../src/verify/packets.js";
import { witnessesOf } from "../../src/verify/witness.js";
import { policyFiles, policyOf, readPolicyFile } from "../support/policies.js";

function first(packets: Iterable<TestPacket>, count: number): readonly TestPacket[] {
  const taken: TestPacket[] = [];
  for (const packet of packets) if (taken.push(packet) === count) break;
  return taken;
}

function policyWith(parts: string): Policy {
  return policyOf(`import { allow, count, drop, expr, gre, limit, policy } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  ${parts}
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});`);
}

const FTP = policyWith(`firewall: {
    default: "drop",
    rules: [
      drop("bad", expr\`ip.src in {198.51.100.0/24} and tcp.dstport == 21\`),
      allow("ftp", expr\`ip.dst == 203.0.113.100 and tcp.dstport in {20..21}\`),
    ],
  },`);

function judged(policy: Policy, packets: readonly TestPacket[]) {
  const state = newState();
  return packets.map(({ bytes, surroundings, at, why }) => {
    return { why, trace: evaluate(policy, bytes, state, at, surroundings) };
  });
}

describe("boundary packets", () => {
  const packets = judged(FTP, boundaryPackets(FTP));
  const ruleAt = (why: string) => packets.find((packet) => packet.why === why)?.trace.rule;

  test.each([
    ["ftp: tcp.dstport 19, outside", null],
    ["ftp: tcp.dstport 20, inside", "ftp"],
    ["ftp: tcp.dstport 21, inside", "ftp"],
    ["ftp: tcp.dstport 22, outside", null],
    ["ftp: ip.dst 203.0.113.99, outside", null],
    ["ftp: ip.dst 203.0.113.100, inside", "ftp"],
    ["ftp: ip.dst 203.0.113.101, outside", null],
    ["bad: ip.src 198.51.100.255, inside", "bad"],
    ["bad: ip.src 198.51.101.0, outside", null],
    ["ftp: protocol 17", null],
    ["ftp: later fragment", null],
    ["ftp: first fragment", "ftp"],
    ["ftp: IPv4 options", "ftp"],
    ["ftp: cut to 23 bytes", null],
    ["ftp: cut to 23 bytes, padded", null],
    ["ftp: cut to 24 bytes", "ftp"],
  ])("%s", (why, rule) => {
    expect(ruleAt(why)).toBe(rule);
  });

  test("each malformed packet is, and no other", () => {
    const malformed = packets.filter(({ trace }) => trace.verdict === "malformed").map(({ why }) => why);
    expect(malformed).toEqual(packets.map(({ why }) => why).filter((why) => why.startsWith("malformed")));
    expect(malformed.length).toBeGreaterThan(5);
  });

  test("the neighbours of a prefix are foreign", () => {
    const ends = packets.filter(({ why }) => why.startsWith("prefix 203.0.113.0/24"));
    expect(ends.map(({ why, trace }) => `${why.split(" to ")[1]} ${trace.verdict}`)).toEqual([
      "203.0.112.255 foreign",
      "203.0.113.0 drop",
      "203.0.113.255 drop",
      "203.0.114.0 foreign",
    ]);
  });

  test("a limit is used up, and allows again when it may", () => {
    const policy = policyWith(`mitigate: [limit("pings", expr\`icmp.type == 8\`, { rate: "10/s", burst: 5 })],
  firewall: { default: "allow", rules: [] },`);
    const decided = judged(policy, boundaryPackets(policy)).map(({ why, trace }) => `${why}: ${trace.rule}`);
    expect(decided.filter((text) => text.startsWith("pings: the burst of 5: null"))).toHaveLength(5);
    expect(decided).toContain("pings: one more than the burst: pings");
    expect(decided).toContain("pings: icmp.type 8, inside, over the rate: pings");
    expect(decided).toContain("pings: icmp.type 9, outside, over the rate: null");
    expect(decided).toContain("pings: a nanosecond before the next is allowed: pings");
    expect(decided).toContain("pings: when the next is allowed: null");
  });
});

describe("what holds of all packets", () => {
  const makers = {
    boundaryPackets,
    witnesses: (policy: Policy) => witnessSuite(policy).packets,
    random: (policy: Policy) => first(randomPackets(policy, 7), 500),
  };

  test.each(Object.entries(makers))(
    "%s: the same policy gives the same packets, in the order of time",
    (_, make) => {
      const packets = make(FTP);
      expect(make(FTP)).toEqual(packets);
      expect(packets.every(({ at }, index) => at >= (packets[index - 1]?.at ?? 0n))).toBe(true);
    },
  );

  test("another seed gives other packets, well-formed ones for the most part", () => {
    const [one, other] = [7, 8].map((seed) => first(randomPackets(FTP, seed), 500));
    expect(one).not.toEqual(other);
    const formed = one?.filter(({ bytes }) => decode(bytes).kind === "packet") ?? [];
    expect(formed.length).toBeGreaterThan(400);
    expect(formed.length).toBeLessThan(500);
    const rules = new Set(judged(FTP, one ?? []).map(({ trace }) => trace.rule));
    expect(rules).toEqual(new Set([null, "bad", "ftp"]));
  });
});

describe("mutants", () => {
  const what = mutantsOf(FTP).map((mutant) => mutant.what);

  test.each([
    "ftp: tcp.dstport: 20..21 begins one lower",
    "ftp: tcp.dstport: 20..21 ends one higher",
    "ftp: tcp.dstport is asked of udp.dstport too",
    "ftp: tcp.dstport: negated, for packets without it too",
    "ftp: `and` is `or`",
    "ftp: operand 1 of an `and` is gone",
    "ftp: allow is drop",
    "ftp is gone",
    "bad and ftp change places",
    "default drop is allow",
  ])("%s", (text) => {
    expect(what).toContain(text);
  });

  test("a limit that nothing uses up is told from what is no limit", () => {
    const policy = policyWith(`mitigate: [limit("fast", expr\`icmp.type == 8\`, { rate: "1000000/s" })],
  firewall: { default: "allow", rules: [] },`);
    const told = witnessesOf(policy).told.map((mutant) => mutant.what);
    expect(told).toEqual(
      expect.arrayContaining(["fast: limit is allow", "fast: limit is drop", "fast: limit is count"]),
    );
  });

  test("a limit that nothing uses up shows in what XDP leaves to the firewall behind it", () => {
    const policy = policyWith(`firewall: {
      default: "allow",
      rules: [
        limit("slow", expr\`ip.src == 192.0.2.7\`, { rate: "1/h", burst: 100_000, per: "ip.src" }),
        drop("push", expr\`tcp.flags.push\`),
      ],
    },`);
    const { told, open } = witnessesOf(policy);
    const changed = (mutants: readonly Mutant[]) =>
      mutants.filter(({ kind, what }) => kind === "match" && what.startsWith("slow"));
    expect(changed(told).length).toBeGreaterThan(2);
    expect(changed(open)).toEqual([]);
  });

  test("two rules that no packet matches both may change places", () => {
    const policy = policyWith(`firewall: {
      default: "drop",
      rules: [allow("web", expr\`tcp.dstport == 80\`), drop("dns", expr\`udp.dstport == 53\`)],
    },`);
    const { equivalent } = witnessesOf(policy);
    expect(equivalent.map((mutant) => mutant.what)).toContain("web and dns change places");
  });
});

test.each([
  "bit_slice(udp, 48, 64) == 0x1234",
  "bit_slice(udp, 61, 87) == 33554432",
  "bit_slice(udp, 50, 64) == 0",
  "bit_slice(tcp, 128, 144) == 0xfffe",
  "bit_slice(tcp, 136, 144) == 7 and tcp.flags.syn",
  "bit_slice(icmp, 16, 32) == 1",
  "ip.src in {2001:db8:1::/48} and bit_slice(udp, 48, 64) in {1..2}",
])("a checksum that a rule asks for is right: %s", (condition) => {
  const policy = policyOf(`import { allow, expr, gre, policy } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  firewall: { default: "drop", rules: [allow("asked", expr\`${condition}\`)] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8::/32", tunnel: "main" }],
});`);
  const [rule] = policy.firewall.rules;
  invariant(rule, "the policy has a rule");
  const found = find(groundOf(policy), { stage: "firewall", index: 0 }, [{ expr: rule.match, wanted: true }]);
  if (typeof found === "string") throw new Error(found);
  const right = found.bytes.slice();
  writeChecksums(right);
  expect(found.bytes).toEqual(right);
  expect(matches(rule.match, found.packet, policy.lists)).toBe(true);
});

/**
 * Rules whose limits allow a million packets and more at once: nothing uses them up, and so what is over them stays open. So does
 * what only packets show that are longer than any that is sent.
 */
const ENDLESS: Readonly<Record<string, readonly string[]>> = { "lint-limits": ["too-fast", "fast"] };
const ENDS_AT_THE_LONGEST =
  /(ip4\.len|ip6\.payload_len): \d+\.\.65535 (ends one lower|is half as long|is without its middle)$/;

describe.each(policyFiles())("$name", ({ name, file }) => {
  const policy = readPolicyFile(file);

  test("boundary packets meet every rule that any packet can meet", () => {
    const traces = judged(policy, boundaryPackets(policy));
    const met = new Set(
      traces
        .flatMap(({ trace }) => trace.steps)
        .flatMap(({ rule, outcome }) => (outcome === "miss" ? [] : [rule.name])),
    );
    const ground = groundOf(policy);
    const missed = positionsOf(policy).filter(({ rule }) => !met.has(rule.name));
    const answers = missed.map(({ rule, position }) => {
      return `${rule.name}: ${JSON.stringify(find(ground, position, [{ expr: rule.match, wanted: true }]))}`;
    });
    expect(answers).toEqual(missed.map(({ rule }) => `${rule.name}: "none"`));
  });

  test("witnesses tell it from every mutant that is not equivalent", () => {
    const { sessions, told, open } = witnessesOf(policy);
    const endless = ENDLESS[name] ?? [];
    const isEndless = ({ what }: Mutant) =>
      ENDS_AT_THE_LONGEST.test(what) ||
      endless.some((rule) => what.startsWith(`${rule}: `) || what === `${rule} is gone`);
    expect(open.filter((mutant) => !isEndless(mutant)).map((mutant) => mutant.what)).toEqual([]);
    const untold = told.filter((mutant) => !sessions.some((one) => tellsApart(one, policy, mutant.policy)));
    expect(untold.map((mutant) => mutant.what)).toEqual([]);
    expect(told.length).toBeGreaterThan(0);
  });
});
