import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { comesToFirewall, sharesState, withoutXdp } from "../../src/cli/verify/expected.js";
import { emit } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { ALONE } from "../../src/compiler/semantics/decode.js";
import { countersOf, evaluate, evaluateFrame, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { packetsFor } from "../support/packet-arbitrary.js";
import { ethernetFrame } from "../support/packet-bytes.js";
import { policyFiles, readPolicyFile } from "../support/policies.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/**
 * The reference against the real kernel: random packets aimed at each policy must meet the same verdict in
 * `evaluate`, in the XDP program (BPF test runs) and in nftables (a namespace's real hooks), and every rule's
 * counter must have counted the packets that the reference says it decided.
 */
const PACKETS = Number(process.env["TIDEGATE_DIFF_PACKETS"] ?? 4000);
const SEED = Number(process.env["TIDEGATE_DIFF_SEED"] ?? 20_261_122);

let loader: Loader;
let probe: Probe;
let bpffs: BpfFs;

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

/** Packets per counter of a stage, as the reference counts them. */
function counted(
  traces: readonly Trace[],
  stage: "mitigate" | "firewall",
  byDefault = "default",
): Record<string, number> {
  const names = traces.flatMap((trace) => countersOf(trace, stage)).map((rule) => rule ?? byDefault);
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Counters that counted, as `counted` has them. */
function nonZero(counters: ReadonlyMap<string, { readonly packets: number }>): Record<string, number> {
  return Object.fromEntries(
    [...counters].filter(([, { packets }]) => packets > 0).map(([name, { packets }]) => [name, packets]),
  );
}

function sample(policy: Policy): readonly Uint8Array[] {
  return fc.sample(packetsFor(policy), { numRuns: PACKETS, seed: SEED });
}

const NOW = { surroundings: ALONE, at: 0n, why: "" } as const;

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

describe.each(policyFiles())("$name", ({ name, file }) => {
  test("XDP judges and counts as the reference does", async () => {
    const policy = readPolicyFile(file);
    const xdp = await XdpUnderTest.load(loader, probe, policy, `${bpffs.path}/${name}`);
    const state = newState();
    const frames = sample(policy).map((packet, index) => ({
      frame: ethernetFrame(packet, index % 7 === 0 ? [index % 4096] : []),
      now: 1_000_000_000n + BigInt(index) * 100_000n,
    }));
    const traces = frames.map(({ frame, now }) => evaluateFrame(policy, frame, state, now));
    const drops = await xdp.drops(frames);

    const wrong = traces.flatMap((trace, index) => {
      const expected = trace.where === "xdp" && trace.verdict !== "foreign";
      return expected === drops[index]
        ? []
        : [`${hex(frames[index]?.frame)}: reference ${trace.verdict} by ${trace.stage} ${trace.rule}`];
    });
    expect(wrong).toEqual([]);
    const early = traces.filter(({ where }) => where === "xdp");
    expect(nonZero(await xdp.counters())).toEqual({
      ...counted(traces, "mitigate"),
      ...counted(early, "firewall", "firewall default"),
    });
    const at = (verdict: string) => traces.filter((trace) => trace.verdict === verdict).length;
    const root = await xdp.rootCounters();
    expect(root.get("malformed")?.packets).toBe(at("malformed"));
    expect(root.get("foreign")?.packets).toBe(at("foreign"));
    expect(root.get("closed")?.packets).toBe(0);
  });

  // What a packet is to a connection depends on those before it: test/kernel/stateful.test.ts.
  if (readPolicyFile(file).firewall.stateful) return;
  test("nftables judges and counts as the reference does", async () => {
    const policy = withoutXdp(readPolicyFile(file));
    const packets = sample(policy).filter((bytes) =>
      comesToFirewall(policy, { ...NOW, bytes }, sharesState(policy)),
    );
    const ruleset = emit(policy).find(({ path }) => path.endsWith(".nft"));
    await probe.nftLoad(ruleset?.text ?? "");
    const verdicts = await probe.nftRun(packets);

    const state = newState();
    const reached = packets.flatMap((packet, index) => {
      if (verdicts[index] === NFT_VERDICT.unreached) return [];
      const trace = evaluate(policy, packet, state, BigInt(index) * 1000n);
      return [{ packet, trace, survived: verdicts[index] === NFT_VERDICT.survived }];
    });
    const wrong = reached.flatMap(({ packet, trace, survived }) => {
      const expected = trace.verdict === "allow" || trace.stage === "route";
      return expected === survived ? [] : [`${hex(packet)}: reference ${trace.verdict} by ${trace.rule}`];
    });
    expect(wrong).toEqual([]);
    expect(reached.length).toBeGreaterThan(packets.length / 2);

    const rules = [...(await probe.nftCounters())].map(
      ([counter, count]) => [counter.replace(/^rule-/, ""), count] as const,
    );
    const traces = reached.map(({ trace }) => trace);
    expect(nonZero(new Map(rules))).toEqual(counted(traces, "firewall"));
  });
});
