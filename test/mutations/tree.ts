import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { type Mutation, mutated } from "./mutation.js";

/** What a copy makes anew, or does without. */
const LEFT_BEHIND: ReadonlySet<string> = new Set([".git", "node_modules", "dist", "build", "coverage"]);

/** A copy of the project that bugs are planted in, one at a time. */
export class Tree {
  private constructor(readonly folder: string) {}

  /** Copies the project's sources, as they are now, to `folder`, and builds them. */
  static build(project: string, folder: string): Tree {
    for (const name of readdirSync(project)) {
      if (!LEFT_BEHIND.has(name)) cpSync(join(project, name), join(folder, name), { recursive: true });
    }
    linkPackages(project, folder);
    run(folder, "scripts/build");
    return new Tree(folder);
  }

  /** Another one of the same, for another job. */
  copyTo(folder: string): Tree {
    // `make` goes by the files' times.
    const options = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true };
    cpSync(this.folder, folder, options);
    return new Tree(folder);
  }

  /** Runs `action` with the bug in the sources and in what is built of them. Throws where it cannot be built. */
  async with<T>(mutation: Mutation, action: () => Promise<T>): Promise<T> {
    const file = join(this.folder, mutation.file);
    const text = readFileSync(file, "utf8");
    const change = mutated(mutation, text);
    if ("problem" in change) throw new Error(change.problem);
    try {
      writeFileSync(file, change.text);
      this.#rebuild(mutation);
      return await action();
    } finally {
      writeFileSync(file, text);
      this.#rebuild(mutation);
    }
  }

  /**
   * Only the one file; and what is bundled into dist/bin where the kernel tests are to find a bug of the runtime or the command
   * line, as they may start a daemon. Else the bundle keeps to the sources without the bug.
   */
  #rebuild({ file, killers }: Mutation): void {
    if (file.endsWith(".ts")) this.#transpile(file);
    for (const folder of makefilesOf(file)) {
      run(this.folder, "make", "-s", "-C", folder);
    }
    if (/^(?:runtime|src\/cli)\//.test(file) && killers.some((killer) => killer.startsWith("test/kernel/")))
      run(this.folder, "node", "scripts/bundle.mjs");
  }

  /** `isolatedModules`: what becomes of a file depends on no other. */
  #transpile(file: string): void {
    const compilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    };
    const { outputText } = ts.transpileModule(readFileSync(join(this.folder, file), "utf8"), {
      compilerOptions,
      fileName: file,
    });
    writeFileSync(join(this.folder, "dist", file.replace(/\.ts$/, ".js")), outputText);
  }
}

/** Throws with what the command wrote, when it fails. */
function run(cwd: string, command: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")} failed: ${stdout}${stderr}`);
}

/** Links to each package, not to the folder of all: test runners keep their own things in it. */
function linkPackages(project: string, folder: string): void {
  const packages = join(project, "node_modules");
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of readdirSync(packages)) {
    if (name === ".bin")
      cpSync(join(packages, name), join(folder, "node_modules", name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    else if (!name.startsWith(".")) symlinkSync(join(packages, name), join(folder, "node_modules", name));
  }
}

/** Folders whose Makefile builds from a file in C. */
function makefilesOf(file: string): readonly string[] {
  if (!/\.[ch]$/.test(file)) return [];
  return file.startsWith("runtime/native/") ? ["runtime/loader", "runtime/probe"] : [dirname(file)];
}
