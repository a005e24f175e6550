import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { analyze, emit } from "../../src/compiler/compile.js";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import { FIELDS, type FieldName } from "../../src/compiler/ir/fields.js";
import { FUNCTION_NAMES } from "../../src/compiler/ir/functions.js";
import { type Geography, partition } from "../../src/compiler/ir/geography.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import type { Surroundings } from "../../src/compiler/semantics/decode.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { FIELD_CASES, type FieldCase, FUNCTION_CASES, PLACES } from "../support/field-cases.js";
import { ethernetFrame } from "../support/packet-bytes.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/** Every match field and function, three ways: by the reference, by XDP and by nftables. */

type Stage = "mitigate" | "firewall";

function rows<Value extends string | number>(table: readonly (readonly [string, Value])[]) {
  return table.map(([text, value]) => {
    const parsed = parsePrefix(text);
    if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
    return { prefix: parsed.prefix, value };
  });
}

const GEOGRAPHY: Geography = {
  country: partition<string>(rows(PLACES.country)),
  asnum: partition<number>(rows(PLACES.asnum)),
};

interface Packet {
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
}

function packetOf(text: string): Packet {
  const parsed = parsePacket(text);
  if (parsed.kind === "problems") throw new Error(`${text}: ${parsed.problems[0]?.message}`);
  return parsed;
}

/** The condition as a rule of one stage: XDP drops what it matches, nftables lets it through. */
function policyWith(condition: string, stage: Stage): Policy {
  const rule = (action: string, of: Stage) => (stage === of ? `${action}("rule", expr\`${condition}\`)` : "");
  const stateful = condition.includes("ct.state");
  const text = `import { allow, drop, expr, gre, policy } from "tidegate";
export default policy({
  customer: "fields",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [${rule("drop", "mitigate")}],
  firewall: { default: "drop", stateful: ${stateful}, rules: [${rule("allow", "firewall")}] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:f::/48", tunnel: "main" }],
});`;
  const { policy, diagnostics } = analyze("test.policy.ts", text, undefined, GEOGRAPHY);
  if (!policy) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
  return policy;
}

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

function byReference(policy: Policy, packets: readonly Packet[]): readonly boolean[] {
  return packets.map(
    ({ bytes, surroundings }) => evaluate(policy, bytes, newState(), 0n, surroundings).rule === "rule",
  );
}

async function byXdp(policy: Policy, packets: readonly Packet[]): Promise<readonly boolean[]> {
  const program = await XdpUnderTest.load(loader, probe, policy, `${bpffs.path}/${loaded++}`);
  const frames = packets.map(({ bytes, surroundings: { vlan } }) => ({
    frame: ethernetFrame(bytes, vlan === null ? [] : [vlan]),
    now: 0n,
  }));
  return program.drops(frames);
}

async function byNft(policy: Policy, packets: readonly Packet[]): Promise<readonly boolean[]> {
  await probe.nftLoad(emit(policy).find(({ path }) => path.endsWith(".nft"))?.text ?? "");
  const verdicts = await probe.nftRun(packets.map(({ bytes }) => bytes));
  return Array.from(verdicts, (verdict) => verdict === NFT_VERDICT.survived);
}

const WAYS = { mitigate: byXdp, firewall: byNft } as const;

/** Which packets the condition holds for, by the reference; each stage that can ask must say the same. */
async function holdsFor(
  condition: string,
  packets: readonly Packet[],
  only: Stage | undefined,
): Promise<readonly boolean[]> {
  const stages = only ? [only] : (["mitigate", "firewall"] as const);
  const answers: (readonly boolean[])[] = [];
  for (const stage of stages) {
    const policy = policyWith(condition, stage);
    const reference = byReference(policy, packets);
    expect(await WAYS[stage](policy, packets), `${stage}: ${condition}`).toEqual(reference);
    answers.push(reference);
  }
  const [answer, ...same] = answers;
  for (const other of same) expect(other, condition).toEqual(answer);
  return answer ?? [];
}

const CASES = [
  ...(Object.keys(FIELDS) as readonly FieldName[]).flatMap((name) => FIELD_CASES[name]),
  ...FUNCTION_NAMES.flatMap((name) => FUNCTION_CASES[name]),
].map((one): readonly [string, FieldCase] => [`${one.is}: ${one.hit}`, one]);

describe("five packets for each field", () => {
  test.each(CASES)("%s", async (_, { is, isNot, hit, miss, wrong, truncated, only }) => {
    const packets = [hit, miss, wrong, truncated].filter((text) => text !== null).map(packetOf);
    const [, , ...absent] = packets;
    expect(await holdsFor(is, packets, only)).toEqual([true, false, ...absent.map(() => false)]);
    expect(await holdsFor(`not ${is}`, packets, only)).toEqual([false, true, ...absent.map(() => true)]);
    if (isNot !== null) {
      expect(await holdsFor(isNot, packets, only)).toEqual([false, true, ...absent.map(() => false)]);
    }
  });
});
