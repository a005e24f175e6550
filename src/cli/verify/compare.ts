import type { TestPacket } from "../../verify/packets.js";
import type { Expected, KernelRun, KernelStage, KernelVerdict } from "./stage.js";

/** A stage in the kernel, and what it is held against. */
export interface Check {
  readonly stage: KernelStage;
  /** The packets that the stage is asked about. */
  readonly asks: (packet: TestPacket) => boolean;
  /** What should become of packets in their order, from a state without any packet before. */
  readonly expect: (packets: readonly TestPacket[]) => readonly Expected[];
  /** Simpler packets that may show the same, the boldest first; none where it is not known what to expect of others. */
  readonly simpler: (packet: TestPacket) => readonly TestPacket[];
}

export interface Disagreement {
  readonly packet: TestPacket;
  readonly expected: Expected;
  readonly verdict: KernelVerdict;
  /** Only with `forward`: the frame that left. */
  readonly sent: Uint8Array | null;
}

export interface Miscount {
  readonly counter: string;
  readonly expected: number;
  readonly counted: number;
}

/** How kernel and reference differ over some packets: not at all if both lists are empty. */
export interface Difference {
  readonly verdicts: readonly Disagreement[];
  readonly counts: readonly Miscount[];
  /** The packets as the kernel met them. */
  readonly met: readonly TestPacket[];
  /** Packets that the kernel dropped before the stage could see them. */
  readonly unreached: number;
  readonly seconds: number;
}

/** Runs packets from a fresh start and holds every verdict and every counter against the reference. */
export async function difference(
  { stage, expect }: Check,
  packets: readonly TestPacket[],
): Promise<Difference> {
  await stage.reset();
  const run = await stage.run(packets);
  const expected = expect(run.met);
  const verdicts = run.met.flatMap((packet, index) => {
    const wanted = expected[index];
    const seen = { verdict: run.verdicts[index] ?? "other", sent: run.sent[index] ?? null };
    return wanted === undefined || agrees(wanted, seen) ? [] : [{ packet, expected: wanted, ...seen }];
  });
  const unreached = run.verdicts.filter((verdict) => verdict === "unreached").length;
  const counts = miscounts(expected, run);
  return { verdicts, counts, met: run.met, unreached, seconds: run.seconds };
}

function agrees(wanted: Expected, { verdict, sent }: Pick<Disagreement, "verdict" | "sent">): boolean {
  return wanted.verdict === verdict && (!wanted.sent || (sent !== null && same(wanted.sent, sent)));
}

export function differs({ verdicts, counts }: Difference): boolean {
  return verdicts.length > 0 || counts.length > 0;
}

/** At least so many packets were judged or counted otherwise. */
export function mismatches({ verdicts, counts }: Difference): number {
  const sum = (amount: (one: Miscount) => number) => counts.reduce((total, one) => total + amount(one), 0);
  const missing = sum(({ expected, counted }) => Math.max(0, expected - counted));
  const extra = sum(({ expected, counted }) => Math.max(0, counted - expected));
  return Math.max(verdicts.length, missing, extra);
}

function miscounts(expected: readonly Expected[], { counted }: KernelRun): readonly Miscount[] {
  const wanted = new Map<string, number>();
  for (const { counted } of expected) {
    for (const counter of counted) wanted.set(counter, (wanted.get(counter) ?? 0) + 1);
  }
  return [...new Set([...wanted.keys(), ...counted.keys()])].flatMap((counter) => {
    const row = { counter, expected: wanted.get(counter) ?? 0, counted: counted.get(counter) ?? 0 };
    return row.expected === row.counted ? [] : [row];
  });
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
