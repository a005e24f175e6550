import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Probe } from "../../runtime/probe-client.js";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import type { Tuning } from "../../src/targets/nft/classifier/tuning.js";
import { emit } from "../../src/targets/nft/emit.js";
import { nft } from "../../src/targets/nft/target.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyLargeFirewall } from "../support/firewall-policies.js";
import { apart } from "../support/fragments.js";
import { expectFirewall } from "../support/nft-under-test.js";

/** Random firewalls of many overlapping rules as trees, in the real kernel against the reference. */
const POLICIES = Number(process.env.TIDEGATE_NFT_POLICIES ?? 40);
const PACKETS = 400;

/** Asks wherever an answer tells packets apart. */
const EAGER: Tuning = { chainLines: 0, line: 25, lookup: 1, tree: 1e9, shortList: 0, list: 0, growth: 64 };

const TUNINGS: Readonly<Record<string, Tuning>> = {
  "one tree": EAGER,
  "one tree with little room": { ...EAGER, growth: 1.2 },
  "several trees": { ...EAGER, tree: -1e9 },
  "several trees with little room": { ...EAGER, tree: -1e9, growth: 1 },
};

let probe: Probe;

beforeAll(async () => {
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(() => probe?.close());

function rulesetOf(policy: Policy, tuning: Tuning): string {
  return emit(policy, tuning)[0]?.text ?? "";
}

describe.each(Object.keys(TUNINGS))("as %s", (name) => {
  const tuning = TUNINGS[name] ?? EAGER;

  test("a firewall judges and counts as the reference does", async () => {
    const property = fc.asyncProperty(anyLargeFirewall, fc.nat(), async (policy, seed) => {
      precondition(policy);
      const packets = fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed });
      await expectFirewall(probe, policy, rulesetOf(policy, tuning), packets);
    });
    await fc.assert(property, { numRuns: POLICIES });
  });

  test("a stateful firewall does too", async () => {
    const property = fc.asyncProperty(anyLargeFirewall, fc.nat(), async (stateless, seed) => {
      const policy = { ...stateless, firewall: { ...stateless.firewall, stateful: true } };
      precondition(policy);
      const packets = fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed }).map(apart);
      await expectFirewall(probe, policy, rulesetOf(policy, tuning), packets);
    });
    // Each run leaves fragments that wait for a minute, and the kernel gives them 4 MB (nf_conntrack_frag6_high_thresh).
    await fc.assert(property, { numRuns: Math.min(POLICIES, 20) });
  });
});

function precondition(policy: Policy): void {
  const diagnostics = new Diagnostics();
  nft.check(policy, diagnostics);
  fc.pre(!diagnostics.hasErrors);
}

test("the random firewalls do become trees, and several", () => {
  const texts = fc.sample(anyLargeFirewall, { numRuns: 20, seed: 7 });
  const ofOne = texts.map((policy) => rulesetOf(policy, EAGER));
  const ofSeveral = texts.map((policy) => rulesetOf(policy, TUNINGS["several trees"] ?? EAGER));
  expect(ofOne.filter((text) => text.includes("vmap {")).length).toBeGreaterThan(15);
  expect(ofSeveral.filter((text) => text.includes("jump firewall-tree-3")).length).toBeGreaterThan(10);
});
