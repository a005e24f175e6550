import { chmodSync, chownSync, lstatSync, renameSync, rmSync, type Stats, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../exit.js";
import { reason } from "./read-source.js";

/** Refuses what is not a plain file: a link could lead out of the folder that its author speaks for. */
export function requirePlainFile(file: string): void {
  const found = statOf(file);
  if (found.isSymbolicLink()) throw new UsageError(`${file} is a symbolic link; name the file itself`);
  if (!found.isFile()) throw new UsageError(`${file} is not a file`);
}

/** Puts `text` in a file's place in one step, so that nobody ever sees half of it; owner and mode stay. */
export function replaceFile(file: string, text: string): void {
  requirePlainFile(file);
  const { mode, uid, gid } = statOf(file);
  const fresh = join(dirname(file), `.${basename(file)}.${process.pid}`);
  try {
    writeFileSync(fresh, text, { flag: "wx" });
    try {
      if (uid !== lstatSync(fresh).uid || gid !== lstatSync(fresh).gid) chownSync(fresh, uid, gid);
      chmodSync(fresh, mode & 0o7777);
      renameSync(fresh, file);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (problem) {
    throw new UsageError(`cannot write ${file}: ${reason(problem)}`);
  }
}

/** Puts `text` in a file's place in one step, whether it is there or not. */
export function placeFile(file: string, text: string): void {
  const fresh = join(dirname(file), `.${basename(file)}.${process.pid}`);
  try {
    writeFileSync(fresh, text, { flag: "wx" });
    try {
      renameSync(fresh, file);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (problem) {
    throw new UsageError(`cannot write ${file}: ${reason(problem)}`);
  }
}

function statOf(file: string): Stats {
  try {
    return lstatSync(file);
  } catch (problem) {
    throw new UsageError(`cannot read ${file}: ${reason(problem)}`);
  }
}
