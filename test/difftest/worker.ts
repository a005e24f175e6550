import { parentPort, workerData } from "node:worker_threads";
import { Kernel } from "./kernel.js";
import type { Job, Message } from "./main.js";
import { report } from "./smallest.js";
import { casesOf, failed, Tries } from "./trial.js";

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
      const trial = await tries.try(one.written, one.seed + one.index);
      if (!trial) continue;
      say({ kind: "tried", packets: trial.packets.length, judged: trial.judged, cells: trial.cells });
      if (!failed(trial)) continue;
      say({ kind: "found", text: await report(tries, one, trial) });
      return;
    }
  }
}

await run();
await kernel.close();
say({ kind: "done" });
