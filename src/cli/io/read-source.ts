import { readFileSync } from "node:fs";
import { UsageError } from "../exit.js";

/** A policy larger than this is refused before it is parsed. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024;

/** Reads a text file that the user named; what cannot be read is a usage error with the system's reason. */
export function readSource(file: string): string {
  const bytes = readBytes(file);
  if (bytes.length > MAX_SOURCE_BYTES)
    throw new UsageError(`${file} is larger than ${MAX_SOURCE_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${file} is not UTF-8 text`);
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (problem) {
    throw new UsageError(`cannot read ${file}: ${reason(problem)}`);
  }
}

/** The system's word for a failed call, without Node's prefix and path. */
export function reason(problem: unknown): string {
  const code = (problem as NodeJS.ErrnoException).code;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EISDIR: "it is a directory",
    EACCES: "permission denied",
    ENOTDIR: "a part of the path is not a directory",
    ENOSPC: "no space left on the device",
    EROFS: "the file system is read-only",
  };
  return (code && words[code]) ?? (problem as Error).message;
}
