import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { failure, hasErrno } from "../failures.js";

/** A bundle is read as a whole, and may come from anybody: so much is read, and no more. Bytes, but for the count. */
export const BUNDLE_LIMITS = {
  signature: 64 * 1024,
  manifest: 32 * 1024 * 1024,
  /** What the native loader takes in one piece (runtime/frame.ts). */
  file: 60 * 1024 * 1024,
  bundle: 256 * 1024 * 1024,
  /** Files and folders. */
  entries: 4096,
} as const;

const SIZE_HINT = "is it the bundle's folder? else split the policy, or make its lists shorter";

/**
 * The bytes of a plain file of a bundle. What is read is judged by its hash, so a file that changes meanwhile is refused
 * like any other wrong one. Throws TG5020 or TG5022; what the file system says, as it says it.
 */
export async function readPlainFile(dir: string, file: string, limit: number): Promise<Buffer> {
  const handle = await openPlainFile(dir, file);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw notPlain(file);
    if (stat.size > limit) throw tooLarge(`\`${file}\` has ${stat.size} bytes of at most ${limit}`);
    return await readUpTo(handle, stat.size);
  } finally {
    await handle.close();
  }
}

/** Neither follows a link nor waits for the other end of a pipe. */
async function openPlainFile(dir: string, file: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return open(join(dir, file), flags).catch((error: unknown) => {
    // ELOOP: a link; ENXIO: a socket (open(2)).
    throw hasErrno(error, "ELOOP", "ENXIO") ? notPlain(file) : error;
  });
}

async function readUpTo(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await handle.read(bytes, done, size - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** The paths of all files below `dir`. Throws TG5022 for what is neither plain file nor folder, TG5020 for too many. */
export async function plainFiles(dir: string): Promise<readonly string[]> {
  const files: string[] = [];
  let entries = 0;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(join(dir, folder))) {
      if (++entries > BUNDLE_LIMITS.entries)
        throw tooLarge(`it has more than ${BUNDLE_LIMITS.entries} files`);
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(path);
      else throw notPlain(path);
    }
  }
  return files.sort();
}

export function tooLarge(problem: string): Error {
  return failure("TG5020", { problem }, SIZE_HINT);
}

function notPlain(file: string): Error {
  return failure("TG5022", { file }, "copy the bundle with the files themselves: cp -rL, or scp -r");
}
