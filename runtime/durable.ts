import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { hasErrno } from "./failures.js";

/** Puts a file in its place as a whole: who reads it, also after a loss of power, sees the old one or the new one. */
export async function replaceDurably(file: string, content: Uint8Array | string): Promise<void> {
  await withFresh(file, content, (fresh) => rename(fresh, file));
}

/**
 * As `replaceDurably`, for what only one writes at a time, as under the lock: what one that was killed has left beside it, the next one
 * writes over.
 */
export async function replaceAlone(file: string, content: string): Promise<void> {
  const fresh = besideOf(file);
  await writeFile(fresh, content, { flush: true });
  await rename(fresh, file).catch(async (error: unknown) => {
    if (!hasErrno(error, "EISDIR")) throw error;
    // Whoever made a folder of it has destroyed what it said already.
    await rm(file, { recursive: true, force: true });
    await rename(fresh, file);
  });
  await syncFolder(dirname(file));
}

/** Where `replaceAlone` writes first. */
export function besideOf(file: string): string {
  return `${file}.new`;
}

/**
 * Writes and syncs a file beside `file`, and lets `place` give it its name; then syncs the folder, without which a name may
 * be lost (fsync(2)). The fresh one is gone in the end, whatever happens.
 */
export async function withFresh(
  file: string,
  content: Uint8Array | string,
  place: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(fresh, "wx", 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(fresh);
    await syncFolder(dirname(file));
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Makes a folder and those above it, for nobody else, so that they outlast a loss of power. */
export async function makeDurably(folder: string): Promise<void> {
  const path = resolve(folder);
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.startsWith(first); made = dirname(made)) await syncFolder(dirname(made));
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
