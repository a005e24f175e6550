import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { keep } from "./found.js";
import { inputs } from "./generate.js";
import type { Job, Message } from "./nightly.js";
import { Tally } from "./tally.js";
import { reduced, type Trial, tryInput } from "./trial.js";

/** Milliseconds: what every input must be read in. */
const MOST = 1000;
/** Inputs that are generated together; the same seeds give the same inputs. */
const BATCH = 500;
/** One in so many is also formatted, or type-checked. */
const FMT_EVERY = 10;
const TYPES_EVERY = 500;

const job: Job = workerData;
const known = new Set<string>();
const tally = new Tally();

function say(message: Message): void {
  parentPort?.postMessage(message);
}

for (let done = job.start; done < job.inputs; done += BATCH) {
  const numRuns = Math.min(BATCH, job.inputs - done);
  const batch = fc.sample(inputs, { seed: (job.seed * 1_000_003 + done) | 0, numRuns });
  for (const [index, input] of batch.entries()) {
    const number = done + index;
    const depth = { fmt: number % FMT_EVERY === 0, types: number % TYPES_EVERY === 0 };
    say({ kind: "trying", number, input });
    const trial = await tryInput(input, depth, MOST);
    tally.add(trial);
    if (trial.problem !== undefined) await tell(trial, trial.problem);
  }
  say({ kind: "progress", number: done + numRuns });
}
say({ kind: "done", report: tally.report() });

/** The first of each problem is made small and kept. */
async function tell(trial: Trial, problem: string): Promise<void> {
  if (problem !== "too slow" && known.has(problem)) return;
  known.add(problem);
  const file = keep(await reduced(trial, MOST));
  say({
    kind: "found",
    problem: `${problem} (${trial.milliseconds.toFixed(0)} ms, ${JSON.stringify(trial.depth)})`,
    file,
  });
}
