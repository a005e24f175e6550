import { readRecord, writeRecord } from "../../../runtime/records.js";
import { Paths } from "../../../runtime/state.js";
import { requireOwnFolder } from "../../../runtime/trust/own-folder.js";
import type { NodeConfig } from "../../targets/manifest.js";
import { type EdgeReading, isCurrent, readingSchema } from "./reading.js";

export interface LoadedEdge {
  readonly node: NodeConfig;
  /** Keeps the reading in the state directory, which must be there, for the next one to load. */
  readonly keep: () => Promise<void>;
}

/**
 * The node that an edge.ts describes, or undefined after its errors were printed. Loading the compiler takes five times as long as a
 * change, and the file hardly ever changes: what it was read to is kept with the node's state, which is root's own.
 */
export async function loadEdge(file: string, stateDir: string): Promise<LoadedEdge | undefined> {
  const kept = await keptReading(stateDir);
  if (kept && isCurrent(kept, file)) return { node: kept.config, keep: async () => undefined };
  const { readEdge } = await import("./read-edge.js");
  const reading = readEdge(file);
  return reading && { node: reading.config, keep: () => keepReading(stateDir, reading) };
}

/** One that is damaged, or that somebody else could have written, is none. */
async function keptReading(stateDir: string): Promise<EdgeReading | undefined> {
  try {
    await requireOwnFolder(stateDir);
    return await readRecord(new Paths(stateDir).edge(), readingSchema);
  } catch {
    return undefined;
  }
}

/** It only saves time: where it cannot be kept, such as on a disk that is full, the file is read again. */
async function keepReading(stateDir: string, reading: EdgeReading): Promise<void> {
  if (reading.build === "") return;
  await writeRecord(new Paths(stateDir).edge(), reading).catch(() => undefined);
}
