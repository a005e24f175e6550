import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteInput } from "../../src/cli/captures/byte-input.js";
import { capturedFrames } from "../../src/cli/captures/capture.js";
import { CaptureError } from "../../src/cli/captures/frame.js";
import { type Judged, judgeCapture } from "../../src/cli/captures/judge.js";
import { capturedPackets } from "../../src/cli/captures/packets.js";
import { Tally } from "../../src/cli/captures/tally.js";
import { capturedJson, renderCaptured } from "../../src/cli/render/captured.js";
import { analyze } from "../../src/compiler/compile.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { interfaceBlock, packetBlock, pcapFile, section } from "../support/capture-files.js";
import { packetsFor } from "../support/packet-arbitrary.js";
import { policyText } from "../support/reading.js";

function policyOf(stateful: boolean) {
  const { policy } = analyze(
    "acme.policy.ts",
    policyText({
      stateful: String(stateful),
      mitigate: 'limit("slow", expr`ip.proto == "udp"`, { rate: "1/s", burst: 3, per: "ip.src" })',
      rules: `drop("mss", expr\`tcp.option.mss < 500 or payload.u8(3) == 7 xor ip.frag\`),
        allow("key", expr\`gre.key == 5 or not tcp.dstport in {20..21} and ip.opt.type != 7\`)`,
    }),
  );
  if (!policy) throw new Error("the policy is right");
  return policy;
}

const POLICY = policyOf(false);
const STATEFUL = policyOf(true);
const LINKS = [0, 1, 101, 108, 113, 228, 229, 239, 276];

/** A capture, in one format or the other. */
const captures = fc
  .record({
    packets: fc.array(
      fc.record({ bytes: packetsFor(POLICY), more: fc.nat(9), time: fc.bigInt(0n, 1n << 33n) }),
      {
        maxLength: 5,
      },
    ),
    linkType: fc.constantFrom(...LINKS),
    little: fc.boolean(),
    pcapng: fc.boolean(),
  })
  .map(({ packets, linkType, little, pcapng }) => {
    const recorded = packets.map(({ bytes, more, time }) => ({ bytes, original: bytes.length + more, time }));
    if (!pcapng) return pcapFile({ little, linkType }, recorded);
    return section(
      little,
      interfaceBlock(little, linkType),
      ...recorded.map((one) => packetBlock(little, 0, one)),
    );
  });

/** With bytes changed, and a part of it taken away. */
const damaged = fc
  .record({
    capture: captures,
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    from: fc.nat(),
    length: fc.nat(12),
  })
  .map(({ capture, changes, from, length }) => {
    const copy = Uint8Array.from(capture);
    for (const [at, byte] of changes) copy[at % copy.length] = byte;
    const start = from % copy.length;
    return Uint8Array.from([...copy.subarray(0, start), ...copy.subarray(start + length)]);
  });

/** All at once; judged packets must be looked at before the next one is read. */
function inputOf(bytes: Uint8Array): ByteInput {
  let at = 0;
  return new ByteInput((into) => {
    const next = bytes.subarray(at, at + into.length);
    into.set(next);
    at += next.length;
    return next.length;
  });
}

test("a damaged capture ends in a problem with its place, or not at all", () => {
  fc.assert(
    fc.property(
      fc.oneof(captures, damaged, fc.uint8Array({ maxLength: 80 })),
      fc.boolean(),
      (bytes, stateful) => {
        const policy = stateful ? STATEFUL : POLICY;
        const tally = new Tally(policy);
        let read = 0;
        try {
          for (const judged of judgeCapture(policy, capturedPackets(capturedFrames(inputOf(bytes))))) {
            tally.add(judged);
            read += 1;
            JSON.stringify(capturedJson(policy, judged));
            renderCaptured(policy, () => undefined, judged);
          }
        } catch (problem) {
          expect(problem).toBeInstanceOf(CaptureError);
          expect((problem as CaptureError).offset).toBeLessThanOrEqual(bytes.length);
        }
        expect(tally.all.packets).toBe(read);
        expect(Object.values(tally.outcomes).reduce((sum, { packets }) => sum + packets, 0)).toBe(read);
      },
    ),
    { numRuns: 1500 },
  );
});

test("a packet's row can be judged again as a text", () => {
  fc.assert(
    fc.property(fc.array(packetsFor(POLICY), { maxLength: 8 }), (packets) => {
      const recorded = packets.map((bytes, index) => ({ bytes, time: BigInt(index) * 100_000n }));
      const file = pcapFile({ little: true, linkType: 101 }, recorded);
      const state = newState();
      for (const judged of judgeCapture(POLICY, capturedPackets(capturedFrames(inputOf(file))))) {
        const row = capturedJson(POLICY, judged) as { packet: string; verdict: string; rule: string | null };
        const parsed = parsePacket(row.packet);
        if (parsed.kind !== "packet") throw new Error(row.packet);
        const again = evaluate(POLICY, parsed.bytes, state, parsed.at ?? -1n, parsed.surroundings);
        expect([again.verdict, again.rule]).toEqual([row.verdict, row.rule]);
      }
    }),
    { numRuns: 300 },
  );
});

/** Only the first packet: those after it may meet limits that an unclear one has passed. */
function firstOf(bytes: Uint8Array, original: number, stateful: boolean): Judged | undefined {
  const file = pcapFile({ little: true, linkType: 101 }, [{ bytes, original }]);
  const [first] = judgeCapture(stateful ? STATEFUL : POLICY, capturedPackets(capturedFrames(inputOf(file))));
  return first;
}

test("what is said of a cut packet holds whatever was cut", () => {
  let told = 0;
  fc.assert(
    fc.property(packetsFor(POLICY), fc.nat(), fc.uint8Array(), fc.boolean(), (bytes, at, other, stateful) => {
      const kept = bytes.subarray(0, at % (bytes.length + 1));
      const cut = firstOf(kept, bytes.length, stateful);
      if (!cut || cut.outcome === "unclear") return;
      told += kept.length < bytes.length ? 1 : 0;
      const rest = bytes.subarray(kept.length).map((byte, index) => other[index % other.length] ?? byte);
      for (const whole of [bytes, Uint8Array.from([...kept, ...rest])]) {
        const judged = firstOf(whole, whole.length, stateful);
        expect([judged?.outcome, judged?.trace?.rule]).toEqual([cut.outcome, cut.trace?.rule]);
      }
    }),
    { numRuns: 3000 },
  );
  expect(told).toBeGreaterThan(100);
});
