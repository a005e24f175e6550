import pc from "picocolors";
import type { ByteInput } from "../captures/byte-input.js";
import { capturedFrames } from "../captures/capture.js";
import { CaptureError } from "../captures/frame.js";
import { type Judged, judgeCapture } from "../captures/judge.js";
import { capturedPackets } from "../captures/packets.js";
import { Tally } from "../captures/tally.js";
import { EXIT, UsageError } from "../exit.js";
import type { LoadedPolicy } from "../load-policy.js";
import { capturedJson, renderCaptured } from "../render/captured.js";
import { sourcesOf } from "../render/sources.js";
import { renderTally, tallyJson } from "../render/tally.js";
import { printable } from "../render/underline.js";
import type { Wanted } from "./explain.js";

interface CaptureOptions {
  readonly json: boolean;
  /** Which packets are printed one by one; null: none, only the summary. */
  readonly each: Wanted | null;
}

/** `explain --pcap`: all packets of a capture, at the times that it gives them. Exit 1: it could not be read to its end. */
export function explainCapture(
  loaded: LoadedPolicy,
  file: string,
  input: ByteInput,
  { json, each }: CaptureOptions,
): number {
  const tally = new Tally(loaded.policy);
  const print = json ? jsonRow(loaded) : journey(loaded);
  const problem = untilProblem(() => {
    for (const judged of judgeCapture(loaded.policy, capturedPackets(capturedFrames(input)))) {
      tally.add(judged);
      if (each?.(judged.outcome, judged.trace)) console.log(print(judged));
    }
  });
  if (problem && tally.all.packets === 0) throw new UsageError(`${file}: ${place(problem)}`);
  if (!json) console.log(`${pc.bold(printable(file))}\n${renderTally(tally)}`);
  else if (!each)
    console.log(JSON.stringify({ ...tallyJson(tally, loaded.policy), problem: toJson(problem) }));
  if (!problem) return EXIT.ok;
  console.error(`${pc.red("tidegate:")} ${file}: ${place(problem)}; what stands before was read`);
  return EXIT.failed;
}

function jsonRow({ policy }: LoadedPolicy): (judged: Judged) => string {
  return (judged) => JSON.stringify(capturedJson(policy, judged));
}

function journey({ policy, sources }: LoadedPolicy): (judged: Judged) => string {
  const texts = sourcesOf(sources.values());
  return (judged) => `${renderCaptured(policy, texts, judged)}\n`;
}

function untilProblem(act: () => void): CaptureError | undefined {
  try {
    act();
    return undefined;
  } catch (problem) {
    if (problem instanceof CaptureError) return problem;
    throw problem;
  }
}

function place({ offset, message }: CaptureError): string {
  return `at byte ${offset}: ${message}`;
}

function toJson(problem: CaptureError | undefined): object | null {
  return problem ? { offset: problem.offset, message: problem.message } : null;
}
