import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../exit.js";
import { reason } from "../io/read-source.js";
import type { ProjectFile } from "./project.js";

/** What became of a file: `kept` is somebody else's file of the same name, `there` one that is as we would write it. */
export type Written = "created" | "there" | "kept";

/** Writes the files that are missing. What exists is never changed, not even through a link. */
export function writeProject(
  folder: string,
  files: readonly ProjectFile[],
): readonly { readonly path: string; readonly written: Written }[] {
  return files.map((file) => {
    try {
      return { path: file.path, written: writeMissing(join(folder, file.path), file.text) };
    } catch (problem) {
      throw new UsageError(`cannot write ${join(folder, file.path)}: ${reason(problem)}`);
    }
  });
}

function writeMissing(path: string, text: string): Written {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found) return found.isFile() && readFileSync(path, "utf8") === text ? "there" : "kept";
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { flag: "wx" });
  return "created";
}
