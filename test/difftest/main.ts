import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { EXIT, UsageError } from "../../src/cli/exit.js";
import { requireKernel } from "../../src/cli/verify/requirements.js";
import { type Cell, Coverage } from "./coverage.js";

/**
 * `npm run difftest -- --minutes N --seed S`: random policies, and for each packets that the reference, XDP and nftables
 * judge. Exit 0: all agree; 1: a mismatch, or a cell of the coverage table that no policy filled; 2: it cannot run here.
 */

export interface Job {
  readonly seed: number;
  /** The worker's first block of policies, and how far on its next is. */
  readonly first: number;
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export type Message =
  | {
      readonly kind: "tried";
      readonly packets: number;
      readonly judged: number;
      readonly cells: readonly Cell[];
    }
  | { readonly kind: "found"; readonly text: string }
  | { readonly kind: "done" };

/** One a core: a worker waits while its probe and clang work. */
const WORKERS = availableParallelism();

/** So many policies fill each cell of the table; fewer may leave some empty. */
const ENOUGH_FOR_COVERAGE = 3000;

/** What packets leave behind dies young, if it is given room; looked through too soon it costs a fifth of the time. */
const YOUNG_MB = 256;

class Run {
  readonly #started = performance.now();
  readonly coverage = new Coverage();
  readonly found: string[] = [];
  policies = 0;
  packets = 0;
  judged = 0;

  take(message: Message): void {
    if (message.kind === "found") this.found.push(message.text);
    if (message.kind !== "tried") return;
    this.policies++;
    this.packets += message.packets;
    this.judged += message.judged;
    this.coverage.add(message.cells);
  }

  /** `5,012 policies, 8,270,000 packets, 7,801,000 of them judged three ways, 13,002 a second`. */
  get line(): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const number = (value: number) => Math.round(value).toLocaleString("en");
    return [
      `${number(seconds)} s: ${number(this.policies)} policies`,
      `${number(this.packets)} packets`,
      `${number(this.judged)} judged three ways (${number(this.judged / seconds)} a second)`,
      `${this.found.length} mismatches`,
    ].join(", ");
  }
}

function optionsOf(): { readonly seed: number; readonly seconds: number } {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: "string" }, seconds: { type: "string" }, seed: { type: "string" } },
    });
    const seconds = Number(values.seconds ?? 60 * Number(values.minutes ?? 1));
    const seed = Number(values.seed ?? 1);
    if (!(seconds > 0) || !Number.isSafeInteger(seed))
      throw new UsageError("minutes and seconds are more than 0, a seed is a whole number");
    return { seed, seconds };
  } catch (error) {
    const usage = "difftest [--minutes N | --seconds N] [--seed S]";
    throw new UsageError(`${error instanceof Error ? error.message : error}\n  ${usage}`);
  }
}

/** Ends when the worker does; what it found too late is lost when another found something first. */
function work(job: Job, run: Run, ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = new URL("./worker.js", import.meta.url);
    const worker = new Worker(url, {
      workerData: job,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    ended.addEventListener("abort", () => void worker.terminate());
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    worker.on("message", (message: Message) => run.take(message));
  });
}

async function runAll(run: Run, { seed, seconds }: ReturnType<typeof optionsOf>): Promise<void> {
  const until = Date.now() + 1000 * seconds;
  const abort = new AbortController();
  const watch = setInterval(() => {
    if (run.found.length > 0) abort.abort();
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${run.line}`);
  }, 500);
  const jobs = Array.from({ length: WORKERS }, (_, first) => ({ seed, first, step: WORKERS, until }));
  try {
    await Promise.all(jobs.map((job) => work(job, run, abort.signal)));
  } finally {
    clearInterval(watch);
    abort.abort();
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
  // Nothing tried is nothing shown.
  if (run.policies + run.found.length === 0) throw new UsageError(`no policy could be tried in ${seconds} s`);
}

function report(run: Run): number {
  const { coverage, found } = run;
  console.log(coverage.table().join("\n"));
  console.log(`\n${run.line}`);
  for (const text of found) console.log(`\nMISMATCH\n${text}`);
  const missing = run.policies >= ENOUGH_FOR_COVERAGE ? coverage.empty : [];
  if (missing.length > 0) console.log(`\n${missing.length} EMPTY CELLS: ${missing.join(", ")}`);
  return found.length > 0 || missing.length > 0 ? EXIT.failed : EXIT.ok;
}

async function main(): Promise<number> {
  const options = optionsOf();
  requireKernel(["clang", "llvm-strip", "nft"]);
  const run = new Run();
  console.log(`seed ${options.seed}, ${options.seconds} s`);
  await runAll(run, options);
  return report(run);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = EXIT.usage;
  },
);
