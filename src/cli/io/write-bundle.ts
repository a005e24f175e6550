import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type BundleFile, MANIFEST_FILE } from "../../targets/bundle.js";
import { UsageError } from "../exit.js";
import { reason } from "./read-source.js";

/**
 * Writes a bundle beside its place and then moves it there, so that a half-written bundle is never seen. Replaces
 * an older bundle or an empty directory; anything else is left alone.
 */
export function writeBundle(directory: string, files: readonly BundleFile[]): void {
  const target = resolve(directory);
  refuseStrangers(target, directory);
  try {
    mkdirSync(dirname(target), { recursive: true });
    const staging = mkdtempSync(join(dirname(target), `.${basename(target)}.`));
    try {
      for (const file of files) {
        const path = join(staging, file.path);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, file.bytes);
      }
      rmSync(target, { recursive: true, force: true });
      renameSync(staging, target);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  } catch (problem) {
    throw new UsageError(`cannot write ${directory}: ${reason(problem)}`);
  }
}

function refuseStrangers(target: string, directory: string): void {
  if (!existsSync(target)) return;
  let names: readonly string[];
  try {
    names = readdirSync(target);
  } catch (problem) {
    throw new UsageError(`cannot write ${directory}: ${reason(problem)}`);
  }
  if (names.length > 0 && !names.includes(MANIFEST_FILE)) {
    throw new UsageError(`${directory} holds something that is not a bundle; it is left as it is`);
  }
}
