import { parentPort, workerData } from "node:worker_threads";
import { Kernel } from "./kernel.js";
import type { Job, Message } from "./main.js";
import { report, reportRefusal } from "./smallest.js";
import { type Case, casesOf, failed, Tries } from "./trial.js";

const job: Job = workerData;
const kernel = await Kernel.start();
const tries = new Tries(kernel);

function say(message: Message): void {
  parentPort?.postMessage(message);
}

/** Every so many blocks are this worker's, until the time is up or one fails. */
async function run(): Promise<void> {
  for (let block = job.first; ; block += job.step) {
    for (const one of casesOf(job.seed, block)) {
      if (Date.now() >= job.until) return;
      const found = await tryOne(one);
      if (found === null) continue;
      say({ kind: "found", text: found });
      return;
    }
  }
}

/** What went wrong, or null. */
async function tryOne(one: Case): Promise<string | null> {
  try {
    const trial = await tries.try(one.written, one.seed + one.index);
    if (!trial) return null;
    say({ kind: "tried", packets: trial.packets.length, judged: trial.judged, cells: trial.cells });
    return failed(trial) ? await report(tries, one, trial) : null;
  } catch (error) {
    return await reportRefusal(tries, one, error);
  }
}

await run();
await kernel.close();
say({ kind: "done" });
