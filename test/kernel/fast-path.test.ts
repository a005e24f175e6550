import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { difference } from "../../src/cli/verify/compare.js";
import { expectedOfXdp } from "../../src/cli/verify/expected.js";
import { xdpBuild, xdpCheck } from "../../src/cli/verify/policy-checks.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { turnRound } from "../../src/cli/verify/uplink.js";
import { XdpStage } from "../../src/cli/verify/xdp-stage.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type Form, planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { boundaryPackets, randomPackets, type TestPacket } from "../../src/verify/packets.js";
import { policyOf } from "../support/policies.js";

/**
 * The fast path against the reference, and so against the namespace, which test/kernel/differential holds against the same:
 * for each packet the verdict, the rule that counts it, and the frame that leaves, byte by byte. TIDEGATE_FAST_PACKETS is how many
 * packets each program gets.
 */
const PACKETS = Number(process.env["TIDEGATE_FAST_PACKETS"] ?? 4000);

let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.start();
});

afterAll(async () => {
  await scratch?.close();
});

const TUNNELS = `
  tunnels: {
    chicago: gre({ remote: "198.51.100.1" }),
    paris: gre({ remote: "198.51.100.2", key: 7, ttl: 9, mtu: 1400 }),
  },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "chicago" },
    { prefix: "203.0.113.128/25", tunnel: "paris", priority: 50 },
    { prefix: "203.0.113.128/25", tunnel: "chicago" },
    { prefix: "203.0.113.64/26", tunnel: "chicago" },
    { prefix: "203.0.113.64/26", tunnel: "paris" },
    { prefix: "2001:db8:a::/49", tunnel: "paris" },
  ],`;

/** Whatever a firewall's rule can be, and routes of every kind; a third of the IPv6 prefix has none. */
function policyWith(firewall: string): Policy {
  return policyOf(`import { policy, expr, allow, drop, reject, limit, count, gre } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  mitigate: [
    drop("bogons", expr\`ip.src in {10.0.0.0/8 192.168.0.0/16}\`),
    limit("flood", expr\`icmp.type == 8\`, { rate: "10/s", burst: 20, per: "ip.src" }),
  ],
  datapath: "xdp",
  firewall: ${firewall},${TUNNELS}
});`);
}

const RULES = `[
    drop("finger", expr\`tcp.dstport == 79\`),
    allow("web", expr\`tcp.dstport in {80 443}\`),
    count("seen", expr\`udp.srcport == 53\`),
    reject("ident", expr\`tcp.dstport == 113\`),
    limit("some", expr\`udp.dstport == 9\`, { rate: "10/s", burst: 5 }),
    allow("small", expr\`udp.len <= 100\`),
    allow("far", expr\`ip.ttl < 50 and ip.proto != "tcp"\`),
    drop("short", expr\`tcp.flags.reset\`),
  ]`;

const CASES: readonly (readonly [string, Form, () => Policy])[] = [
  ["a default of drop", "linear", () => policyWith(`{ default: "drop", rules: ${RULES} }`)],
  ["a default of allow", "linear", () => policyWith(`{ default: "allow", rules: ${RULES} }`)],
  ["all is allowed", "linear", () => policyWith(`{ default: "allow", rules: [] }`)],
  ["in tables", "tables", () => policyWith(`{ default: "allow", rules: ${RULES} }`)],
  ["in vectors", "vectors", () => policyWith(`{ default: "drop", rules: ${RULES} }`)],
];

function packetsOf(policy: Policy): readonly TestPacket[] {
  const fits = ({ bytes }: TestPacket) => bytes.length <= 3400;
  const packets = boundaryPackets(policy).filter(fits);
  for (const packet of randomPackets(policy, 20_261_122)) {
    if (packets.length >= PACKETS) break;
    if (fits(packet)) packets.push(packet);
  }
  return packets.slice(0, PACKETS);
}

/** Behind the next hop's Ethernet address. */
const SOURCE_AT = 6;

test("by the uplink that it came by a packet leaves as by another, but for the uplink's own address", async () => {
  const policy = policyWith(`{ default: "drop", rules: ${RULES} }`);
  const one = await Scratch.start();
  const stage = await XdpStage.load(
    one,
    xdpBuild(policy, (part) => emit(part, "linear"), "linear"),
    1,
  );
  turnRound(one.probe, "198.51.100.0/24");
  try {
    const packets = packetsOf(policy).filter(xdpCheck(policy, stage).asks);
    const { verdicts, sent } = await stage.run(packets);
    const expected = expectedOfXdp(policy, packets);
    expect(verdicts).toEqual(expected.map(({ verdict }) => verdict));
    const frames = expected.map(
      ({ sent: frame = null }) => frame && Uint8Array.from(frame).fill(0, SOURCE_AT, 12),
    );
    expect(sent?.map(hex)).toEqual(frames.map(hex));
    expect(frames.filter((frame) => frame !== null).length).toBeGreaterThan(20);
  } finally {
    await stage.unload();
    await one.close();
  }
});

const hex = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString("hex");

describe.each(CASES)("%s (%s)", (_, form, make) => {
  test("verdicts, counters and frames are as the reference says", async () => {
    const policy = make();
    expect(planOf(policy, form) === null).toBe(form === "linear");
    const stage = await XdpStage.load(
      scratch,
      xdpBuild(policy, (one) => emit(one, form), form),
    );
    try {
      const check = xdpCheck(policy, stage);
      const packets = packetsOf(policy).filter(check.asks);
      const { verdicts, counts } = await difference(check, packets);
      const wrong = verdicts.map(
        ({ packet, verdict, expected, sent }) =>
          `${packet.why}, ${hex(packet.bytes)}: ${verdict} ${hex(sent)}, not ${expected.verdict} ${hex(expected.sent)}`,
      );
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(counts).toEqual([]);
      const sent = expectedOfXdp(policy, packets).filter(({ verdict }) => verdict === "forward");
      expect(sent.length).toBeGreaterThan(20);
    } finally {
      await stage.unload();
    }
  });
});
