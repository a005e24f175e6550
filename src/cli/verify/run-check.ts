import type { MutantCounts, TestPacket } from "../../verify/packets.js";
import { type Answers, answers } from "./answers.js";
import { type Check, type Difference, difference, differs, mismatches } from "./compare.js";
import { type Counterexample, counterexample } from "./counterexample.js";
import type { RateReport } from "./rates.js";
import type { StageName } from "./stage.js";

/** What became of all packets. */
export interface Verified {
  readonly packets: number;
  /** Which mutants of the policy the packets tell apart; null: of a bundle, or not all of these packets were sent. */
  readonly mutants: MutantCounts | null;
  readonly stages: readonly StageReport[];
  readonly rates: readonly RateReport[];
  /** The first counterexample of each check. */
  readonly counterexamples: readonly (Counterexample & {
    readonly stage: StageName;
    readonly answers: Answers;
  })[];
}

/** What one stage made of its packets. */
export interface StageReport {
  readonly stage: StageName;
  readonly packets: number;
  readonly unreached: number;
  readonly seconds: number;
  readonly mismatches: number;
  /** Of the first batch that disagrees. */
  readonly counterexample: Counterexample | null;
}

/**
 * Packets that share limits. A kernel's table of keys holds 65,536 (docs/semantics.md, "Limits"): with fewer packets than
 * that, no key is ever evicted, and reference and kernel agree to the packet.
 */
const BATCH = 32_768;

/** Runs the packets through one check after the other. `reference` answers for the last packet of a sequence. */
export async function runChecks(
  checks: readonly Check[],
  packets: readonly TestPacket[],
  reference: (packets: readonly TestPacket[]) => string,
  onProgress: (what: string, done: number, of: number) => void,
): Promise<Omit<Verified, "rates" | "mutants">> {
  const stages: StageReport[] = [];
  const counterexamples: Verified["counterexamples"][number][] = [];
  for (const check of checks) {
    const { name } = check.stage;
    const report = await runCheck(check, packets, (done) => onProgress(name, done, packets.length));
    stages.push(report);
    if (!report.counterexample) continue;
    const found = report.counterexample;
    const given = await answers(checks, check, found.packets, reference(found.packets));
    counterexamples.push({ ...found, stage: name, answers: given });
  }
  return { packets: packets.length, stages, counterexamples };
}

/** Runs all packets that the stage is asked about, batch by batch. */
async function runCheck(
  check: Check,
  packets: readonly TestPacket[],
  onProgress: (done: number) => void,
): Promise<StageReport> {
  const asked = packets.filter(check.asks);
  const differences: Difference[] = [];
  let found: Counterexample | null = null;
  let done = 0;
  for (const batch of batches(asked)) {
    const one = await difference(check, batch);
    differences.push(one);
    if (differs(one)) found ??= await counterexample(check, batch);
    done += batch.length;
    onProgress(done);
  }
  const sum = (amount: (one: Difference) => number) =>
    differences.reduce((total, one) => total + amount(one), 0);
  return {
    stage: check.stage.name,
    packets: asked.length,
    unreached: sum(({ unreached }) => unreached),
    seconds: sum(({ seconds }) => seconds),
    mismatches: sum(mismatches),
    counterexample: found,
  };
}

/** In parts that end where the most time goes by, as packets that fill a limit together come close together. */
export function batches(packets: readonly TestPacket[], size = BATCH): readonly (readonly TestPacket[])[] {
  const parts: (readonly TestPacket[])[] = [];
  for (let start = 0; start < packets.length; ) {
    const rest = packets.slice(start, start + size + 1);
    const length = rest.length <= size ? rest.length : longestPause(rest, size >> 2);
    parts.push(packets.slice(start, start + length));
    start += length;
  }
  return parts;
}

/** The last index, at least `from`, before which the most time goes by. */
function longestPause(packets: readonly TestPacket[], from: number): number {
  let [best, longest] = [packets.length - 1, 0n];
  for (let index = packets.length - 1; index >= Math.max(1, from); index--) {
    const pause = (packets[index]?.at ?? 0n) - (packets[index - 1]?.at ?? 0n);
    if (pause > longest) [best, longest] = [index, pause];
  }
  return best;
}
