import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clangArguments } from "../../targets/xdp/clang.js";
import { UsageError } from "../exit.js";
import { packageRoot } from "../package-root.js";

export interface ClangOptions {
  /** Read the time from the map `test_clock`, for tests of limits against the reference. */
  readonly testClock?: boolean;
}

/** Compiles a customer's generated XDP program; the result depends on nothing but the text. */
export function compileXdp(name: string, text: string, options: ClangOptions = {}): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-clang-"));
  const source = `${name}.bpf.c`;
  const object = `${name}.bpf.o`;
  try {
    writeFileSync(join(folder, source), text);
    const include = join(packageRoot(), "bpf-templates");
    run("clang", clangArguments({ include, source, object, testClock: options.testClock ?? false }), folder);
    // DWARF is of no use to the kernel; BTF stays. What tests compile by the thousand need not be small.
    if (!options.testClock) run("llvm-strip", ["--strip-debug", object], folder);
    return readFileSync(join(folder, object));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw new UsageError(`cannot run ${command} (${error.message}); scripts/setup installs it`);
  // The generated C passed the target's check, so a complaint of clang is our bug, and is shown whole.
  if (status !== 0) throw new Error(`${command} refused the generated program:\n${stderr}`);
}
