import { expect } from "vitest";
import { NFT_VERDICT, type Probe } from "../../runtime/probe-client.js";
import { comesToFirewall, sharesState } from "../../src/cli/verify/expected.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { ALONE } from "../../src/compiler/semantics/decode.js";
import { countersOf, evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";

/**
 * Loads the ruleset and sends it packets that come to a firewall: XDP lets nothing else through, and a node forwards
 * nothing else to it. Verdicts and counters must be what the reference says of the policy.
 */
export async function expectFirewall(
  probe: Probe,
  policy: Policy,
  ruleset: string,
  packets: readonly Uint8Array[],
): Promise<void> {
  const share = sharesState(policy);
  const sent = packets.filter((bytes) =>
    comesToFirewall(policy, { bytes, surroundings: ALONE, at: 0n, why: "" }, share),
  );
  await probe.nftLoad(ruleset);
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
