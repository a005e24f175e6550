import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { comesToFirewall, sharesState, withoutXdp } from "../../src/cli/verify/expected.js";
import { emit } from "../../src/compiler/compile.js";
import type { Policy, Stage } from "../../src/compiler/ir/policy.js";
import { ALONE, decode } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { countersOf, evaluate, evaluateFrame, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { apart } from "../support/fragments.js";
import { policyIn, type WrittenPolicy, writtenPolicies } from "../support/language-arbitrary.js";
import { ethernetFrame } from "../support/packet-bytes.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/**
 * Random policies in the language's own words, all of it, from their text to the kernel's verdicts: what the words mean,
 * the reference, XDP and nftables must say the same of each packet. For more of them than a test has time for:
 * TIDEGATE_LANGUAGE_SECONDS, and TIDEGATE_LANGUAGE_SEED to see the same ones again.
 */
const SECONDS = Number(process.env["TIDEGATE_LANGUAGE_SECONDS"] ?? 10);
const SEED = Number(process.env["TIDEGATE_LANGUAGE_SEED"] ?? 20_261_122);
const PACKETS = 300;

let loader: Loader;
let probe: Probe;
let bpffs: BpfFs;
let loaded = 0;

beforeAll(async () => {
  bpffs = mountBpfFs();
  loader = await Loader.start();
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(async () => {
  await probe?.close();
  await loader?.close();
  bpffs?.unmount();
});

test(
  "words, reference, XDP and nftables agree",
  async () => {
    const property = fc.asyncProperty(writtenPolicies, fc.nat(), async (written, seed) => {
      const policy = policyIn(written);
      fc.pre(policy !== undefined);
      const packets = fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed });
      const frames = packets.map((packet, index) => ethernetFrame(packet, tagsOf(index)));
      expect(disagreements(written, policy, frames), written.text).toEqual([]);
      expect(await byXdp(policy, frames), written.text).toEqual([]);
      expect(await byNft(policy, packets), written.text).toEqual([]);
    });
    const limits = { interruptAfterTimeLimit: 1000 * SECONDS, markInterruptAsFailure: false };
    await fc.assert(property, { numRuns: 1_000_000, maxSkipsPerRun: 1000, seed: SEED, ...limits });
  },
  1000 * SECONDS + 60_000,
);

/** Most frames have no tag; those that have, one of the IDs where comparisons turn. */
function tagsOf(index: number): number[] {
  const ids = [0, 1, 2, 2047, 2048, 4094, 4095, index % 64];
  return index % 3 === 0 ? [ids[index % ids.length] ?? 0] : index % 50 === 1 ? [7, 1] : [];
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

/** Where a rule of the policy matches other packets than its words say. */
function disagreements(
  { rules }: WrittenPolicy,
  policy: Policy,
  frames: readonly Uint8Array[],
): readonly string[] {
  const compiled = { mitigate: policy.mitigate, firewall: policy.firewall.rules };
  return frames.flatMap((frame) => {
    const carried = stepOverEthernet(frame);
    if (!carried) return [];
    const decoded = decode(carried.bytes, carried.family, { vlan: carried.vlan, connection: 8 });
    if (decoded.kind === "malformed") return [];
    return (["mitigate", "firewall"] as const).flatMap((stage) =>
      rules[stage].flatMap(({ text, condition }, index) => {
        const match = compiled[stage][index]?.match;
        const same =
          match && matches(match, decoded.packet, policy.lists) === condition.holds(decoded.packet);
        return same ? [] : [`${hex(frame)}: the words say ${condition.holds(decoded.packet)} in ${text}`];
      }),
    );
  });
}

async function byXdp(policy: Policy, frames: readonly Uint8Array[]): Promise<readonly string[]> {
  const xdp = await XdpUnderTest.load(loader, probe, policy, `${bpffs.path}/language-${loaded++}`);
  const state = newState();
  const timed = frames.map((frame, index) => ({ frame, now: 1_000_000_000n + BigInt(index) }));
  const traces = timed.map(({ frame, now }) => evaluateFrame(policy, frame, state, now));
  const drops = await xdp.drops(timed);
  const wrong = traces.flatMap((trace, index) => {
    const expected = trace.where === "xdp" && trace.verdict !== "foreign";
    return drops[index] === expected ? [] : [`XDP: ${hex(frames[index])}: ${trace.verdict} by ${trace.rule}`];
  });
  const counting = traces.flatMap((trace) => [
    ...countersIn(trace, "mitigate", "default"),
    ...(trace.where === "xdp" ? countersIn(trace, "firewall", "firewall default") : []),
  ]);
  return [...wrong, ...miscounted(counting, await xdp.counters())];
}

const NOW = { surroundings: ALONE, at: 0n, why: "" } as const;

async function byNft(written: Policy, packets: readonly Uint8Array[]): Promise<readonly string[]> {
  const policy = withoutXdp(written);
  const sent = packets
    .map(policy.firewall.stateful ? apart : (packet) => packet)
    .filter((bytes) => comesToFirewall(policy, { ...NOW, bytes }, sharesState(policy)));
  await probe.nftLoad(emit(policy).find(({ path }) => path.endsWith(".nft"))?.text ?? "");
  const verdicts = await probe.nftRun(sent);
  const state = newState();
  const reached = sent.flatMap((packet, index) => {
    if (verdicts[index] === NFT_VERDICT.unreached) return [];
    return [{ packet, verdict: verdicts[index], trace: evaluate(policy, packet, state, BigInt(index)) }];
  });
  const wrong = reached.flatMap(({ packet, verdict, trace }) => {
    const passed = trace.verdict === "allow" || trace.stage === "route";
    const expected = passed ? NFT_VERDICT.survived : NFT_VERDICT.dropped;
    return verdict === expected ? [] : [`nft: ${hex(packet)}: ${trace.verdict} by ${trace.rule}`];
  });
  const counters = new Map(
    [...(await probe.nftCounters())].map(([name, counter]) => [name.replace(/^rule-/, ""), counter]),
  );
  const counting = reached.flatMap(({ trace }) => countersIn(trace, "firewall", "default"));
  return [...wrong, ...miscounted(counting, counters)];
}

type Counters = ReadonlyMap<string, { readonly packets: number }>;

function countersIn(trace: Trace, stage: Stage, byDefault: string): readonly string[] {
  return countersOf(trace, stage).map((rule) => rule ?? byDefault);
}

/** `counting`: a counter's name for each time that it should have counted. */
function miscounted(counting: readonly string[], counters: Counters): readonly string[] {
  const expected = new Map<string, number>();
  for (const name of counting) expected.set(name, (expected.get(name) ?? 0) + 1);
  return [...new Set([...expected.keys(), ...counters.keys()])].flatMap((name) => {
    const [counted, right] = [counters.get(name)?.packets ?? 0, expected.get(name) ?? 0];
    return counted === right ? [] : [`${name} counted ${counted} instead of ${right}`];
  });
}
