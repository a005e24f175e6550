import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.js";
import { type FuzzInput, MAIN } from "./input.js";

/** Inputs that once went wrong: NAME.policy.ts, or a folder of one with its modules. `npm test` tries each again. */
const FOLDER = join(packageRoot(), "test/fuzz/found");
const END = ".policy.ts";

/** Where an input is kept, which is said to have a problem. */
export function keep({ main, modules }: FuzzInput): string {
  const name = createHash("sha256")
    .update(JSON.stringify([main, modules]))
    .digest("hex")
    .slice(0, 8);
  const used = Object.entries(modules).filter(([file]) => main.includes(file.replace(/\.ts$/, "")));
  if (used.length === 0) return write(join(FOLDER, `${name}${END}`), main);
  for (const [file, text] of used) write(join(FOLDER, name, file), text);
  return write(join(FOLDER, name, MAIN), main);
}

function write(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

export interface Found {
  readonly name: string;
  readonly input: FuzzInput;
}

export function allFound(): readonly Found[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith(END))
    .map((entry) => ({
      name: entry.name,
      input: entry.isDirectory()
        ? readFolder(join(FOLDER, entry.name))
        : { kind: "found", main: readFileSync(join(FOLDER, entry.name), "utf8"), modules: {} },
    }));
}

function readFolder(folder: string): FuzzInput {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const texts = files.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(folder.length + 1), readFileSync(path, "utf8")] as const;
  });
  const { [MAIN]: main = "", ...modules } = Object.fromEntries(texts);
  return { kind: "found", main, modules };
}
