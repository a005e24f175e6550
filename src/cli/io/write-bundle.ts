import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { SIGNATURE_FILE } from "../../../runtime/trust/release.js";
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
      // mkdtemp(3) makes folders that only their owner can read.
      chmodSync(staging, 0o777 & ~process.umask());
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
  let files: readonly string[];
  try {
    files = filesIn(target);
  } catch (problem) {
    throw new UsageError(`cannot write ${directory}: ${reason(problem)}`);
  }
  const listed = filesOfBundle(target);
  if (files.some((file) => !listed.has(file))) {
    throw new UsageError(`${directory} holds something that is not a bundle; it is left as it is`);
  }
}

/** Everything in a folder but folders, as paths relative to it. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .map((name) => name.split(sep).join("/"));
}

/** The manifest, its signature and the files that it lists; none where it is not a bundle's: other tools have a manifest.json too. */
function filesOfBundle(folder: string): ReadonlySet<string> {
  try {
    const { files } = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), "utf8"));
    return new Set([MANIFEST_FILE, SIGNATURE_FILE, ...Object.keys(files)]);
  } catch {
    return new Set();
  }
}
