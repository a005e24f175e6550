import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { bundleFiles } from "../../src/cli/commands/compile.js";
import { writeBundle } from "../../src/cli/io/write-bundle.js";
import { loadPolicy } from "../../src/cli/load-policy.js";
import { emit } from "../../src/compiler/compile.js";
import { customerName, type Described, policyText } from "./policies.js";

/** Compiles all of them, `jobs` at a time; gives the milliseconds of each that had not been compiled before. */
export async function compileAll(
  all: readonly Described[],
  workshop: string,
  jobs: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  const work = (job: number) =>
    new Promise<void>((resolve, reject) => {
      const share = all.filter((_, index) => index % jobs === job);
      const worker = new Worker(new URL("worker.js", import.meta.url), { workerData: { workshop, share } });
      worker.on("message", (ms: number | null) => ms !== null && times.push(ms));
      worker.once("error", reject);
      worker.once("exit", () => resolve());
    });
  await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
  return times;
}

export function bundleFolder(
  workshop: string,
  { index, variant }: Pick<Described, "index" | "variant">,
): string {
  return join(workshop, "bundles", `${customerName(index)}-${variant}`);
}

/** Compiles a customer's policy as `tidegate compile` does, unless that was done before; gives milliseconds, or null. */
export function compileBundle(workshop: string, described: Described): number | null {
  const started = performance.now();
  const folder = bundleFolder(workshop, described);
  const text = policyText(described);
  if (isBundleOf(folder, text)) return null;
  const sources = join(workshop, "policies", String(described.variant));
  mkdirSync(sources, { recursive: true });
  const file = join(sources, `${customerName(described.index)}.policy.ts`);
  writeFileSync(file, text);
  const loaded = loadPolicy(file);
  if (!loaded) throw new Error(`${file} has mistakes; they stand above`);
  writeBundle(folder, bundleFiles(loaded, emit(loaded.policy)));
  return performance.now() - started;
}

function isBundleOf(folder: string, text: string): boolean {
  try {
    const { source } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    return source.sha256 === createHash("sha256").update(text).digest("hex");
  } catch {
    return false;
  }
}
