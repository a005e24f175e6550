import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { emit } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import {
  byReference,
  CASES,
  type FieldPacket,
  packetsOf,
  policyWith,
  questionsOf,
  stagesOf,
} from "../support/field-policies.js";
import { ethernetFrame } from "../support/packet-bytes.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/**
 * Every match field and function, by XDP and by nftables: both as the reference says, which test/unit/semantics-fields.test.ts
 * holds to the cases.
 */

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

async function byXdp(policy: Policy, packets: readonly FieldPacket[]): Promise<readonly boolean[]> {
  const program = await XdpUnderTest.load(loader, probe, policy, `${bpffs.path}/${loaded++}`);
  const frames = packets.map(({ bytes, surroundings: { vlan } }) => ({
    frame: ethernetFrame(bytes, vlan === null ? [] : [vlan]),
    now: 0n,
  }));
  return program.drops(frames);
}

async function byNft(policy: Policy, packets: readonly FieldPacket[]): Promise<readonly boolean[]> {
  await probe.nftLoad(emit(policy).find(({ path }) => path.endsWith(".nft"))?.text ?? "");
  const verdicts = await probe.nftRun(packets.map(({ bytes }) => bytes));
  return Array.from(verdicts, (verdict) => verdict === NFT_VERDICT.survived);
}

const WAYS = { mitigate: byXdp, firewall: byNft } as const;

describe("five packets for each field", () => {
  test.each(CASES)("%s", async (_, field) => {
    const packets = packetsOf(field);
    for (const { condition } of questionsOf(field)) {
      for (const stage of stagesOf(field)) {
        const policy = policyWith(condition, stage);
        const reference = byReference(policy, packets);
        expect(await WAYS[stage](policy, packets), `${stage}: ${condition}`).toEqual(reference);
      }
    }
  });
});
