import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { keep } from "./found.js";
import type { FuzzInput } from "./input.js";

/**
 * `npm run fuzz -- --inputs N --seed S`: reads generated and mutated policies for as long as it takes. What goes wrong is
 * made small and kept in test/fuzz/found, where `npm test` tries it again.
 */

export interface Job {
  readonly seed: number;
  readonly start: number;
  readonly inputs: number;
}

export type Message =
  | { readonly kind: "trying"; readonly number: number; readonly input: FuzzInput }
  | { readonly kind: "progress"; readonly number: number }
  | { readonly kind: "found"; readonly problem: string; readonly file: string }
  | { readonly kind: "done"; readonly report: readonly string[] };

/** Whatever takes so long will not come back. Making a slow input small takes many times its own time. */
const HANGS_AFTER = 120_000;
const MEMORY_MB = 1024;

const { values } = parseArgs({
  options: { inputs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
const whole: Job = { seed: Number(values.seed), start: 0, inputs: Number(values.inputs) };
let problems = 0;

/** Runs a worker; the number of the input to go on with, when it did not come to the end. */
function run(job: Job): Promise<number | null> {
  return new Promise((finished) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    let last: Extract<Message, { kind: "trying" }> | undefined;
    let heard = Date.now();
    const giveUp = (why: string) => {
      clearInterval(watch);
      if (last) found(why, keep(last.input));
      void worker.terminate();
      finished(last ? last.number + 1 : null);
    };
    const watch = setInterval(() => {
      if (Date.now() - heard > HANGS_AFTER) giveUp("does not come to an end");
    }, 1000);
    worker.on("error", (problem) => giveUp(problem.message));
    worker.on("message", (message: Message) => {
      heard = Date.now();
      if (message.kind === "trying") last = message;
      else if (message.kind === "progress") progress(message.number);
      else if (message.kind === "found") found(message.problem, message.file);
      else {
        clearInterval(watch);
        console.log(message.report.join("\n"));
        finished(null);
      }
    });
  });
}

function found(problem: string, file: string): void {
  problems++;
  console.log(`FOUND ${problem}\n  ${file}`);
}

function progress(number: number): void {
  if (number % 10_000 === 0) console.log(`${number} inputs`);
}

console.log(`seed ${whole.seed}, ${whole.inputs} inputs`);
for (let start: number | null = 0; start !== null && start < whole.inputs; )
  start = await run({ ...whole, start });
console.log(`${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
