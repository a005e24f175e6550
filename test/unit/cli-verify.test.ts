import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { progressBar } from "../../src/cli/render/progress.js";
import { mismatchesOf, renderVerified, verifiedJson } from "../../src/cli/render/verified.js";
import { mismatches } from "../../src/cli/verify/compare.js";
import { formatProof, packetOfText, proofOf, proofSchema } from "../../src/cli/verify/proof.js";
import { agreement, measureRate } from "../../src/cli/verify/rates.js";
import { batches, type Verified } from "../../src/cli/verify/run-check.js";
import { smallerPackets } from "../../src/cli/verify/smaller.js";
import { choosePackets } from "../../src/cli/verify/verify-policy.js";
import { packetText } from "../../src/compiler/analysis/packets/plain-text.js";
import { ALONE } from "../../src/compiler/semantics/decode.js";
import { boundaryPackets, randomPackets, type TestPacket } from "../../src/verify/packets.js";
import { policyFiles, readPolicyFile } from "../support/policies.js";

const acme = readPolicyFile("examples/acme/acme.policy.ts");

describe("smaller packets", () => {
  test("taking whatever is offered comes to an end, for any packet", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const packet: TestPacket = randomPackets(acme, seed).next().value;
        let [steps, last] = [0, packet];
        for (let next = smallerPackets(last)[0]; next; next = smallerPackets(last)[0]) {
          last = next;
          if (++steps > 1000) return false;
        }
        return last.bytes.length <= packet.bytes.length && last.surroundings.vlan === null;
      }),
      { numRuns: 200 },
    );
  });

  test("an option, a tag and padding are left out, and what is left is a packet again", () => {
    const [packet] = packetOfText("hex=46000018123400004006000001020304cb00710001010101ffff vlan=7", "");
    const texts = (packet ? smallerPackets(packet) : []).map(packetText);
    expect(texts).toContain("hex=46000018123400004006000001020304cb00710001010101ffff");
    expect(texts).toContain("hex=46000018123400004006000001020304cb00710001010101 vlan=7");
    expect(texts).toContain("proto=6 1.2.3.4 > 203.0.113.0 id=4660 vlan=7");
  });
});

describe("the proof of a bundle", () => {
  test.each(policyFiles())("$name: same policy, same bytes, and as its schema says", ({ file }) => {
    const text = formatProof(proofOf(readPolicyFile(file)));
    expect(formatProof(proofOf(readPolicyFile(file)))).toBe(text);
    const proof = proofSchema.parse(JSON.parse(text));
    expect(proof.packets.length).toBeGreaterThan(10);
    expect(proof.packets.filter(({ packet }) => packetOfText(packet, "").length === 0)).toEqual([]);
  });

  test("speaks of every rule, its default and every kind of verdict", () => {
    const { packets, limits } = proofOf(acme);
    expect(new Set(packets.map(({ rule }) => rule))).toEqual(new Set([null, "bogons", "ftp", "too-big"]));
    expect(new Set(packets.map(({ verdict }) => verdict))).toEqual(
      new Set(["allow", "drop", "foreign", "malformed"]),
    );
    expect(limits.map(({ rule, burst, interval }) => [rule, burst, interval])).toEqual([
      ["syn-flood", "10000", "200000"],
    ]);
  });
});

test("packets are as many as asked for, in an order of time, and the same for the same seed", () => {
  const ports = readPolicyFile("test/cases/ports/ports.policy.ts");
  const chosenWith = (count: number, seed: number) => choosePackets(ports, count, seed).packets;
  const chosen = chosenWith(2000, 3);
  expect(chosen).toHaveLength(2000);
  expect(chosen.every(({ at }, index) => at >= (chosen[index - 1]?.at ?? 0n))).toBe(true);
  expect(chosenWith(2000, 3)).toEqual(chosen);
  expect(chosenWith(2000, 4)).not.toEqual(chosen);
  expect(chosenWith(5, 3)).toEqual(chosen.slice(0, 5));
});

test("mutants are said to be told apart only if all packets that tell them are sent", () => {
  const ports = readPolicyFile("test/cases/ports/ports.policy.ts");
  expect(choosePackets(ports, 2000, 3).mutants).toMatchObject({ undecided: 0, left: 0 });
  expect(choosePackets(ports, 2000, 3).mutants?.told).toBeGreaterThan(50);
  expect(choosePackets(ports, 5, 3).mutants).toBeNull();
  expect(choosePackets(ports, boundaryPackets(ports).length + 1, 3).mutants).toBeNull();
});

test("batches end where the most time goes by, and hold every packet once", () => {
  const at = [0, 1, 2, 90, 91, 92, 93, 94, 95].map(BigInt);
  const packets = at.map((time) => ({ bytes: new Uint8Array(), surroundings: ALONE, at: time, why: "" }));
  expect(batches(packets, 4).map((batch) => batch.map((packet) => Number(packet.at)))).toEqual([
    [0, 1, 2],
    [90, 91, 92, 93],
    [94, 95],
  ]);
  expect(batches([], 4)).toEqual([]);
});

test("a mismatch is a packet that is judged otherwise, or that another counter has counted", () => {
  const none = { verdicts: [], counts: [], met: [], unreached: 0, seconds: 1 };
  const counts = [
    { counter: "web", expected: 3, counted: 1 },
    { counter: "dns", expected: 0, counted: 2 },
  ];
  expect(mismatches(none)).toBe(0);
  expect(mismatches({ ...none, counts })).toBe(2);
});

describe("a limit by a clock that is not ours", () => {
  /** 1000 at once, and one each 200 µs; `limits` says how many pass in so many seconds, `took` what a packet takes. */
  async function measured(limits: (seconds: number) => number, took: number, burst = 1000n) {
    const sent: number[] = [];
    const kernel = {
      reset: async () => {},
      rush: async (_: TestPacket, times: number) => {
        const seconds = times * took;
        sent.push(times);
        return { seconds, counted: new Map([["slow", Math.max(0, times - limits(seconds))]]) };
      },
    };
    const packet = { bytes: new Uint8Array(), surroundings: ALONE, at: 0n, why: "" };
    const probe = { stage: "mitigate", rule: "slow", packet, burst, interval: 200_000n } as const;
    return { agrees: agreement(await measureRate(kernel, probe)), sent };
  }
  const right = (seconds: number) => 1000 + Math.floor(seconds / 0.0002);

  test.each<[string, (seconds: number) => number, number, boolean | null, readonly number[]]>([
    ["that limits", right, 1e-6, true, [1314]],
    ["that lets too much through", (seconds) => right(seconds) + 50, 1e-6, false, [1314]],
    ["that lets too little through", () => 999, 1e-6, false, [1314]],
    ["is met by more packets, where these come slowly", right, 1e-4, true, [1314, 60_000]],
    ["is found not to limit by more packets, too", () => Infinity, 1e-4, false, [1314, 60_000]],
    ["is not said to limit where no packet could be over it", () => Infinity, 3e-4, null, [1314, 60_000]],
    ["that lets too little through, met slowly", () => 999, 3e-4, false, [1314]],
  ])("%s", async (_, limits, took, agrees, sent) => {
    expect(await measured(limits, took)).toEqual({ agrees, sent });
  });

  test("is not said to limit where its burst is more than is sent", async () => {
    expect(await measured(() => Infinity, 1e-6, 100_000n)).toEqual({ agrees: null, sent: [60_000] });
  });
});

describe("what is printed", () => {
  const packet = {
    bytes: new Uint8Array(20),
    surroundings: ALONE,
    at: 0n,
    why: "web: tcp.dstport 80, inside",
  };
  const verified: Verified = {
    packets: 10,
    mutants: { told: 1200, equivalent: 3, undecided: 2, left: 0 },
    stages: [
      { stage: "xdp", packets: 10, unreached: 0, seconds: 0.5, mismatches: 0, counterexample: null },
      { stage: "nft", packets: 9, unreached: 1, seconds: 0.25, mismatches: 2, counterexample: null },
    ],
    rates: [{ stage: "firewall", rule: "slow", sent: 9, passed: 7, atLeast: 4, atMost: 5 }],
    counterexamples: [
      {
        stage: "nft",
        packets: [packet],
        difference: { verdicts: [], counts: [], met: [], unreached: 0, seconds: 0 },
        answers: { reference: "allow by firewall rule `web`", expected: "pass", xdp: "pass", nft: "drop" },
      },
    ],
  };

  test("a limit that is out of bounds is a mismatch too", () => {
    expect(mismatchesOf(verified)).toBe(3);
  });

  test("one that was never met is none, and is said", () => {
    const rates = [{ stage: "firewall", rule: "slow", sent: 9, passed: 9, atLeast: 4, atMost: 9 }] as const;
    expect(mismatchesOf({ ...verified, rates })).toBe(2);
    expect(verifiedJson({ ...verified, rates })).toMatchObject({ limits: [{ rule: "slow", agrees: null }] });
    expect(renderVerified("acme", { ...verified, rates })).toMatch(/9 of 9 through; .* not held against/);
  });

  test("JSON has what scripts rely on", () => {
    expect(verifiedJson(verified)).toMatchObject({
      packets: 10,
      mismatches: 3,
      mutants: { told: 1200, equivalent: 3, undecided: 2, left: 0 },
      seconds: { xdp: 0.5, nft: 0.25 },
      limits: [{ rule: "slow", agrees: false }],
      counterexamples: [{ stage: "nft", why: packet.why, answers: { nft: "drop" } }],
    });
  });

  test("text has the packet, what it was made from, and all answers", () => {
    const text = renderVerified("acme", verified);
    for (const part of ["3 mismatches in 10", `hex=${"00".repeat(20)}`, packet.why, "rule `web`", "4 to 5"])
      expect(text).toContain(part);
  });
});

describe("progress", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test.each([
    ["on a terminal", true, "", false, true],
    ["not in CI", true, "true", false, false],
    ["not into a file", false, "", false, false],
    ["not with --json", true, "", true, false],
  ])("%s", (_, terminal, ci, quiet, shown) => {
    vi.stubEnv("CI", ci);
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const was = process.stderr.isTTY;
    process.stderr.isTTY = terminal;
    progressBar(quiet).show("nft", 1, 2);
    process.stderr.isTTY = was;
    expect(vi.mocked(process.stderr.write).mock.calls.length > 0).toBe(shown);
  });
});
