import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { Probe } from "../../runtime/probe-client.js";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { nft } from "../../src/targets/nft/target.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyFirewall } from "../support/firewall-policies.js";
import { apart } from "../support/fragments.js";
import { expectFirewall } from "../support/nft-under-test.js";

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

function compare(policy: Policy, packets: readonly Uint8Array[]): Promise<void> {
  return expectFirewall(probe, policy, nft.emit(policy)[0]?.text ?? "", packets);
}
