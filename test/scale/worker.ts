import { parentPort, workerData } from "node:worker_threads";
import { compileBundle } from "./compiling.js";
import type { Described } from "./policies.js";

const { workshop, share }: { readonly workshop: string; readonly share: readonly Described[] } = workerData;

for (const described of share) parentPort?.postMessage(compileBundle(workshop, described));
