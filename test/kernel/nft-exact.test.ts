import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { comesToFirewall, sharesState } from "../../src/cli/verify/expected.js";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { ALONE } from "../../src/compiler/semantics/decode.js";
import { countersOf, evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { nft } from "../../src/targets/nft/target.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyFirewall } from "../support/firewall-policies.js";
import { apart } from "../support/fragments.js";

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

/** Packets that come to a firewall: XDP lets nothing else through, and a node forwards nothing else to it. */
async function compare(policy: Policy, packets: readonly Uint8Array[]): Promise<void> {
  const share = sharesState(policy);
  const sent = packets.filter((bytes) =>
    comesToFirewall(policy, { bytes, surroundings: ALONE, at: 0n, why: "" }, share),
  );
  const [ruleset] = nft.emit(policy);
  await probe.nftLoad(ruleset?.text ?? "");
  const verdicts = await probe.nftRun(sent);

  const state = newState();
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
