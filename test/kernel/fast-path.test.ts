import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namedCounters } from "../../runtime/counters.js";
import { sentFromXdp } from "../../runtime/customer/fast-path.js";
import { frameOf } from "../../src/cli/verify/frame.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { ANYCAST, WAY_OUT } from "../../src/cli/verify/uplink.js";
import { loadCustomer, loadRoot, timedProgram } from "../../src/cli/verify/xdp-program.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { countersOf, evaluateFrame, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { type Form, planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { boundaryPackets, randomPackets, type TestPacket } from "../../src/verify/packets.js";
import { outerFrame } from "../support/outer-frame.js";
import { policyOf } from "../support/policies.js";

/**
 * The fast path against the reference, and so against the namespace, which test/kernel/differential holds against the same:
 * for each packet the verdict, the rule that counts it, and the frame that leaves, byte by byte. TIDEGATE_FAST_PACKETS is how many
 * packets each program gets.
 */
const PACKETS = Number(process.env["TIDEGATE_FAST_PACKETS"] ?? 4000);

const DROP = 1;
const PASS = 2;
const REDIRECT = 4;

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

function wanted({ where, verdict }: Trace): number {
  if (verdict === "malformed") return DROP;
  if (where === "namespace" || verdict === "foreign") return PASS;
  return verdict === "allow" ? REDIRECT : DROP;
}

function counts(traces: readonly Trace[]): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (name: string) => {
    sums[name] = (sums[name] ?? 0) + 1;
  };
  for (const trace of traces) {
    for (const rule of countersOf(trace, "mitigate")) add(rule ?? "(default)");
    if (trace.where !== "xdp") continue;
    for (const rule of countersOf(trace, "firewall")) add(rule ?? "(firewall default)");
  }
  return sums;
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

/** How what left the program differs from what the reference says. */
function mistake(
  policy: Policy,
  { bytes }: TestPacket,
  trace: Trace,
  { action, frame }: { readonly action: number; readonly frame: Buffer },
): readonly string[] {
  if (action !== wanted(trace)) return [`${hex(bytes)}: ${action}, not ${wanted(trace)}`];
  const tunnel = policy.tunnels.find(({ name }) => name === trace.routes[0]?.tunnel);
  if (action !== REDIRECT || !tunnel) return [];
  const way = { source: WAY_OUT.mac, nextHop: WAY_OUT.nextHop, anycast: ANYCAST };
  const expected = outerFrame(bytes.subarray(0, ownLength(bytes)), tunnel, way);
  return expected.equals(frame) ? [] : [`${hex(frame)}, not ${hex(expected)}`];
}

/** Without padding. */
function ownLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint8(0) >> 4 === 4 ? view.getUint16(2) : 40 + view.getUint16(4);
}

describe.each(CASES)("%s (%s)", (name, form, make) => {
  test("verdicts, counters and frames are as the reference says", async () => {
    const policy = make();
    expect(planOf(policy, form) === null).toBe(form === "linear");
    const [root, customer] = ["root", "customer"].map((part) =>
      join(scratch.pins, `${part}-${name}-${form}`.replaceAll(" ", "-")),
    ) as [string, string];
    const program = timedProgram(policy, emit(policy, form), form);
    await loadRoot(scratch.loader, root, program.prefixes);
    await scratch.openUplink(root);
    await loadCustomer(scratch.loader, { root, customer }, program);

    const packets = packetsOf(policy);
    const state = newState();
    const traces = packets.map((packet) => evaluateFrame(policy, frameOf(packet), state, packet.at));
    const left = await scratch.probe.xdpRunFrames(
      join(root, "prog_tidegate_root"),
      join(customer, "map_test_clock"),
      packets.map((packet) => ({ frame: frameOf(packet), now: packet.at })),
    );

    const wrong = traces.flatMap((trace, index) => {
      const [packet, seen] = [packets[index], left[index]];
      return packet && seen ? mistake(policy, packet, trace, seen) : ["a frame is missing"];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    const sent = traces.filter((trace) => wanted(trace) === REDIRECT);
    expect(sent.length).toBeGreaterThan(20);

    const counted = namedCounters(
      await scratch.loader.dumpMap(join(customer, "map_counters")),
      program.counters,
    );
    const seen = Object.entries(counted).filter(([, { packets: number }]) => number > 0);
    expect(Object.fromEntries(seen.map(([rule, { packets: number }]) => [rule, number]))).toEqual(
      counts(traces),
    );
    const byTunnel = await sentFromXdp(scratch.loader, customer);
    const through = ({ name: tunnel }: { readonly name: string }) =>
      sent.filter(({ routes }) => routes[0]?.tunnel === tunnel).length;
    expect(byTunnel.slice(0, 2).map((one) => one.packets)).toEqual(policy.tunnels.map(through));
    for (const pins of [root, customer]) rmSync(pins, { recursive: true });
  });
});
