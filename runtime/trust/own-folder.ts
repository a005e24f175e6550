import type { Stats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { failure, orIfMissing } from "../failures.js";

const WRITABLE_BY_OTHERS = 0o022;
/** Who may write to such a folder may not take away or rename what is another's (inode(7)). */
const STICKY = 0o1000;

/**
 * Throws TG9016 where anybody but root, or who runs this, could write to a folder or put another in its place: what is kept
 * there says what is in force, and what must not be put in force again. A folder that is not there yet is judged by
 * where it will be.
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  const written = resolve(folder);
  const real = await realPlace(written);
  for (const path of new Set([...upwards(written), ...upwards(real)])) {
    const stat = await lstatIfThere(path);
    const problem = stat && problemOf(stat, path === written || path === real);
    if (problem === undefined) continue;
    const hint = `chown root ${path} && chmod go-w ${path}; or name a folder of root's with --state-dir, --memory-dir`;
    throw failure("TG9016", { file: path, problem }, hint);
  }
}

function problemOf(stat: Stats, isFolderItself: boolean): string | undefined {
  if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) return `it belongs to user ${stat.uid}`;
  // The mode of a link means nothing.
  if (stat.isSymbolicLink() || (stat.mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  if (!isFolderItself && (stat.mode & STICKY) !== 0) return undefined;
  return `its mode is ${(stat.mode & 0o7777).toString(8).padStart(4, "0")}`;
}

/** The path and all folders above it, the highest first. */
function upwards(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...upwards(parent), path];
}

/** Without links, as far as there is anything. */
async function realPlace(path: string): Promise<string> {
  const place = await orIfMissing(realpath(path), undefined);
  return place ?? join(await realPlace(dirname(path)), basename(path));
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  return orIfMissing(lstat(path), undefined);
}
