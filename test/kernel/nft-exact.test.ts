import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { internetChecksum } from "../../src/compiler/semantics/checksum.js";
import { wholeDatagram } from "../../src/compiler/semantics/datagram.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { countersOf, evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newLimitState } from "../../src/compiler/semantics/gcra.js";
import { nft } from "../../src/targets/nft/target.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyFirewall } from "../support/firewall-policies.js";

/** Random firewalls in the real kernel against the reference. */
const POLICIES = Number(process.env.TIDEGATE_NFT_POLICIES ?? 60);
const PACKETS = 250;

let probe: Probe;

beforeAll(async () => {
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(() => probe?.close());

test("a random firewall judges and counts as the reference does", async () => {
  const property = fc.asyncProperty(anyFirewall, fc.nat(), async (policy, seed) => {
    const diagnostics = new Diagnostics();
    nft.check(policy, diagnostics);
    fc.pre(!diagnostics.hasErrors);
    await compare(policy, fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed }));
  });
  await fc.assert(property, { numRuns: POLICIES });
});

test("a stateful one too: it judges whole datagrams", async () => {
  const property = fc.asyncProperty(anyFirewall, fc.nat(), async (stateless, seed) => {
    const policy = { ...stateless, firewall: { ...stateless.firewall, stateful: true } };
    const diagnostics = new Diagnostics();
    nft.check(policy, diagnostics);
    fc.pre(!diagnostics.hasErrors);
    await compare(policy, fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed }).map(apart));
  });
  // Each run leaves fragments that wait for a minute, and the kernel gives them 4 MB (nf_conntrack_frag6_high_thresh).
  await fc.assert(property, { numRuns: Math.min(POLICIES, 150) });
});

let fragments = 0;

/**
 * The packet, a fragment with an identification of its own: it must not meet another one of its datagram, of this run or
 * of one before it, whose parts the kernel still holds.
 */
function apart(bytes: Uint8Array): Uint8Array {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return bytes;
  const { family, fragmentHeader } = decoded.packet;
  if (fragmentHeader === null && wholeDatagram(decoded.packet)) return bytes;
  const copy = Buffer.from(bytes);
  fragments++;
  if (family === 6) {
    const at = (fragmentHeader ?? 0) + 4;
    if (at + 4 <= copy.length) copy.writeUInt32BE(fragments, at);
  } else {
    copy.writeUInt16BE(fragments % 0x10000, 4);
    copy.writeUInt16BE(0, 10);
    copy.writeUInt16BE(internetChecksum(copy.subarray(0, ((copy[0] ?? 0) & 15) * 4)), 10);
  }
  return copy;
}

/** Well-formed packets to the customer's prefixes: XDP lets nothing else through. */
async function compare(policy: Policy, packets: readonly Uint8Array[]): Promise<void> {
  const sent = packets.filter((packet) => {
    const { verdict } = evaluate(policy, packet, newLimitState(), 0n);
    return verdict !== "foreign" && verdict !== "malformed";
  });
  const [ruleset] = nft.emit(policy);
  await probe.nftLoad(ruleset?.text ?? "");
  const verdicts = await probe.nftRun(sent);

  const state = newLimitState();
  const counted: Record<string, number> = {};
  sent.forEach((packet, index) => {
    if (verdicts[index] === NFT_VERDICT.unreached) return;
    const trace = evaluate(policy, packet, state, 1n);
    const counters = countersOf(trace, "firewall").map((rule) =>
      rule === null ? "default" : `rule-${rule}`,
    );
    for (const counter of counters) counted[counter] = (counted[counter] ?? 0) + 1;
    const passed = trace.verdict === "allow" || trace.stage === "route";
    const expected = passed ? NFT_VERDICT.survived : NFT_VERDICT.dropped;
    expect(verdicts[index], `${Buffer.from(packet).toString("hex")} by ${counters.at(-1)}`).toBe(expected);
  });
  const counters = [...(await probe.nftCounters())].filter(([, { packets }]) => packets > 0);
  expect(Object.fromEntries(counters.map(([name, { packets }]) => [name, packets]))).toEqual(counted);
}
