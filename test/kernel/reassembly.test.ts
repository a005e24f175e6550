import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import type { Family } from "../../src/compiler/ir/address.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { countersOf, evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { nft } from "../../src/targets/nft/target.js";
import { anyPieces, type PieceShape, pieceBytes } from "../support/datagram-pieces.js";
import { firewall } from "../support/firewall-policies.js";
import { number, rule } from "../support/ir.js";

/** How datagrams are put together at a stateful firewall: the reference against the kernel, fragment by fragment. */
const RUNS = Number(process.env["TIDEGATE_DIFF_PACKETS"] ?? 4000);
const SEED = Number(process.env["TIDEGATE_DIFF_SEED"] ?? 20_261_122);

/** Rules that tell what the whole looks like: whose header it has, and how long it is. */
const LOOKS = [
  rule("expedited", { kind: "count" }, number("ip4.dscp", 46)),
  rule("expedited-6", { kind: "count" }, number("ip6.dscp", 46)),
  rule("from-afar", { kind: "count" }, number("ip4.ttl", 9)),
  rule("from-afar-6", { kind: "count" }, number("ip6.hop_limit", 9)),
  ...[8, 16, 24, 32, 40].map((length) =>
    rule(`up-to-${length}`, { kind: "count" }, number("ip4.len", [20, 20 + length])),
  ),
  ...[8, 16, 24, 32, 40].map((length) =>
    rule(`up-to-${length}-6`, { kind: "count" }, number("ip6.payload_len", [0, length])),
  ),
];
const stateless = firewall(LOOKS, [], "allow");
const policy: Policy = { ...stateless, firewall: { ...stateless.firewall, stateful: true } };

let probe: Probe;
let identification = 0;

beforeAll(async () => {
  probe = await Probe.start();
  await probe.nftOpen();
  await probe.nftLoad(nft.emit(policy)[0]?.text ?? "");
});

afterAll(() => probe?.close());

interface Datagram {
  readonly family: Family;
  readonly pieces: readonly PieceShape[];
}

const anyDatagram: fc.Arbitrary<Datagram> = fc.record({
  family: fc.constantFrom<Family>(4, 6),
  pieces: anyPieces,
});

async function kernelCounters(): Promise<Readonly<Record<string, number>>> {
  const counters = [...(await probe.nftCounters())];
  return Object.fromEntries(counters.map(([name, { packets }]) => [name.replace(/^rule-/, ""), packets]));
}

test.each<[Family, number]>([
  [4, 63],
  [4, 64],
  [6, 64],
])("IPv%i, with %i fragments of the same source between two of a datagram", async (family, between) => {
  const piece = { start: 0, length: 8, more: true, dscp: 0, ttl: 64 };
  const last = { ...piece, start: 8, more: false };
  const others = Array.from({ length: between }, (_, index) => pieceBytes(family, 0xe000 + index, piece));
  const id = 0xd000 + between;
  const packets = [pieceBytes(family, id, piece), ...others, pieceBytes(family, id, last)];
  const verdicts = await probe.nftRun(packets);
  const state = newState();
  const held = packets.map((packet) => evaluate(policy, packet, state, 0n).held);
  expect(held).toEqual(Array.from(verdicts, (verdict) => verdict !== NFT_VERDICT.survived));
});

test("at random: whole when the kernel says so, and the same whole", async () => {
  const datagrams = fc.sample(anyDatagram, { numRuns: RUNS, seed: SEED });
  const state = newState();
  const counted = { ...(await kernelCounters()) };
  const wrong: string[] = [];
  let completed = 0;
  for (const { family, pieces } of datagrams) {
    identification = (identification + 1) % 0x10000;
    const packets = pieces.map((piece) => pieceBytes(family, identification, piece));
    const verdicts = await probe.nftRun(packets);
    const traces = packets.map((packet) => evaluate(policy, packet, state, BigInt(identification)));
    const differ = traces.some(({ held }, index) => held === (verdicts[index] === NFT_VERDICT.survived));
    const texts = pieces.map(({ start, length, more }) => `${start}-${start + length}${more ? "+" : ""}`);
    if (differ)
      wrong.push(
        `IPv${family} ${texts.join(" ")}: kernel ${verdicts}, held ${traces.map(({ held }) => held)}`,
      );
    for (const name of traces.flatMap((trace) => countersOf(trace, "firewall")))
      counted[name ?? "default"] = (counted[name ?? "default"] ?? 0) + 1;
    completed += traces.filter(({ held }) => !held).length;
  }
  expect(wrong).toEqual([]);
  expect(await kernelCounters()).toEqual(counted);
  expect(completed).toBeGreaterThan(RUNS / 4);
});
