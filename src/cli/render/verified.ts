import pc from "picocolors";
import { packetText } from "../../compiler/analysis/packets/plain-text.js";
import type { MutantCounts } from "../../verify/packets.js";
import { agreement, type RateReport } from "../verify/rates.js";
import type { StageReport, Verified } from "../verify/run-check.js";

/** Mismatches of all stages, and limits that let through too few or too many. */
export function mismatchesOf({ stages, rates }: Verified): number {
  const wrong = rates.filter((rate) => agreement(rate) === false).length;
  return stages.reduce((sum, { mismatches }) => sum + mismatches, wrong);
}

/** What `tidegate verify` prints. */
export function renderVerified(name: string, verified: Verified): string {
  const { packets, mutants, stages, rates, counterexamples } = verified;
  const mismatches = mismatchesOf(verified);
  const end =
    mismatches === 0
      ? `${pc.green("ok")} ${name}: reference and kernel agree on ${count(packets)} packets`
      : `${pc.red("FAIL")} ${name}: ${count(mismatches)} ${mismatches === 1 ? "mismatch" : "mismatches"} in ${count(packets)} packets`;
  return [
    ...stages.map(renderStage),
    ...rates.map(renderRate),
    ...(mutants ? [`  ${pc.dim(mutantsText(mutants))}`] : []),
    ...counterexamples.flatMap((one) => ["", ...renderCounterexample(one)]),
    end,
  ].join("\n");
}

/** The row that scripts read (DESIGN, section 8), and more. */
export function verifiedJson(verified: Verified): object {
  const seconds = (name: string) => rounded(sumOf(verified.stages.filter(({ stage }) => stage === name)));
  return {
    packets: verified.packets,
    mismatches: mismatchesOf(verified),
    mutants: verified.mutants,
    seconds: { xdp: seconds("xdp"), nft: seconds("nft") },
    stages: verified.stages.map(({ stage, packets, unreached, seconds: took, mismatches }) => ({
      ...{ stage, packets, unreached, mismatches, seconds: rounded(took) },
    })),
    limits: verified.rates.map((rate) => ({ ...rate, agrees: agreement(rate) })),
    counterexamples: verified.counterexamples.map(({ stage, packets, answers }) => ({
      ...{ stage, packets: packets.map(packetText), why: packets.at(-1)?.why ?? null, answers },
    })),
  };
}

function sumOf(stages: readonly StageReport[]): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** To the microsecond: no figure is more exact. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

function renderStage({ stage, packets, unreached, seconds, mismatches }: StageReport): string {
  const rate = seconds > 0 ? `${count(Math.round(packets / seconds))}/s` : "";
  const lost =
    unreached > 0 ? pc.dim(`  ${count(unreached)} of them dropped by the kernel before the hooks`) : "";
  const wrong = mismatches > 0 ? pc.red(`  ${count(mismatches)} mismatches`) : "";
  return `  ${stage.padEnd(4)} ${count(packets).padStart(9)} packets  ${seconds.toFixed(2)} s  ${rate}${lost}${wrong}`;
}

function renderRate(rate: RateReport): string {
  const bounds = rate.atLeast === rate.atMost ? `${rate.atLeast}` : `${rate.atLeast} to ${rate.atMost}`;
  const text = `limit \`${rate.rule}\` let ${rate.passed} of ${rate.sent} through`;
  const agrees = agreement(rate);
  if (agrees === null)
    return `  ${pc.yellow(`${text}; all may pass in such a time: not held against its rate here`)}`;
  return `  ${agrees ? pc.dim(`${text}; ${bounds} are right`) : pc.red(`${text}; ${bounds} are right`)}`;
}

function mutantsText({ told, equivalent, undecided, left }: MutantCounts): string {
  const rest = [
    ...(undecided > 0 ? [`${count(undecided)} undecided`] : []),
    ...(left > 0 ? [`${count(left)} not looked at`] : []),
  ];
  const sum = `${count(told)} small changes of the policy told apart, ${count(equivalent)} change nothing`;
  return [sum, ...rest].join(", ");
}

/** Lines of packets before the last one. */
const SHOWN = 8;

function renderCounterexample({
  stage,
  packets,
  answers,
  difference,
}: Verified["counterexamples"][number]): readonly string[] {
  const before = packets.slice(0, -1);
  const last = packets.slice(-1);
  const groups = grouped(before.map(packetText));
  const more = groups.length > SHOWN ? [`    … ${groups.length - SHOWN} more`] : [];
  const miscounted = difference.counts.map(
    ({ counter, expected, counted }) => `counter ${counter}: ${counted} instead of ${expected}`,
  );
  return [
    `${pc.red("mismatch")} at ${stage}${before.length > 0 ? `, after ${before.length} packets` : ""}`,
    ...groups.slice(0, SHOWN).map((text) => pc.dim(`    ${text}`)),
    ...more.map(pc.dim),
    ...last.flatMap((packet) => [
      `    ${pc.bold(packetText(packet))}`,
      `    ${pc.dim(`hex=${Buffer.from(packet.bytes).toString("hex")}`)}`,
      `    ${pc.dim(`made from: ${packet.why}`)}`,
    ]),
    `  reference  ${answers.reference}; ${stage} should: ${answers.expected}`,
    `  xdp        ${answers.xdp}`,
    `  nft        ${answers.nft}`,
    ...miscounted.map((text) => `  ${pc.red(text)}`),
  ];
}

/** Texts that follow one another are one line, with how often they come. */
function grouped(texts: readonly string[]): readonly string[] {
  const groups: { readonly text: string; times: number }[] = [];
  for (const text of texts) {
    const last = groups.at(-1);
    if (last?.text === text) last.times++;
    else groups.push({ text, times: 1 });
  }
  return groups.map(({ text, times }) => (times === 1 ? text : `${count(times)} × ${text}`));
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
