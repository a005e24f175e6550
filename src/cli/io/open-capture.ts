import { openSync, readSync } from "node:fs";
import { ByteInput } from "../captures/byte-input.js";
import { UsageError } from "../exit.js";
import { reason } from "./read-source.js";

/** The bytes of a capture, read as they are asked for; the file stays open until the process ends. */
export function openCapture(file: string): ByteInput {
  const descriptor = attempt(file, () => openSync(file, "r"));
  return new ByteInput((into) => attempt(file, () => readSync(descriptor, into)));
}

function attempt<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (problem) {
    throw new UsageError(`cannot read ${file}: ${reason(problem)}`);
  }
}
