import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compileXdp } from "../../src/cli/io/clang.js";
import { packageRoot } from "../../src/cli/package-root.js";
import { clangArguments } from "../../src/targets/xdp/clang.js";

/** clang-server.c, which scripts/difftest builds. */
const LIBRARY = join(packageRoot(), "dist/difftest/clang-server.so");

/** A server that is not there, as no folder. */
const NONE = "";

/**
 * Compiles programs with the test clock as `compileXdp` does, to the same bytes, without clang's start for each. What the
 * server does not compile, for whatever reason, is given to a clang of its own, which says why.
 */
export class ClangServer {
  readonly #child: ChildProcess | null;
  readonly #answers: AsyncIterator<string> | null;
  readonly #folder: string;
  /** Programs that it compiled itself. */
  compiled = 0;

  private constructor(child: ChildProcess | null) {
    this.#child = child;
    child?.on("error", () => undefined);
    child?.stdin?.on("error", () => undefined);
    this.#answers = child?.stdout ? createInterface({ input: child.stdout })[Symbol.asyncIterator]() : null;
    this.#folder = child ? mkdtempSync(join(tmpdir(), "tidegate-clang-")) : NONE;
  }

  static start(library = LIBRARY): ClangServer {
    if (!existsSync(library)) return new ClangServer(null);
    const env = { ...process.env, LD_PRELOAD: library };
    return new ClangServer(spawn("clang", [], { env, stdio: ["pipe", "pipe", "ignore"] }));
  }

  async compile(name: string, text: string): Promise<Uint8Array> {
    return (await this.#compiled(name, text)) ?? compileXdp(name, text, { testClock: true });
  }

  async #compiled(name: string, text: string): Promise<Uint8Array | undefined> {
    if (!this.#child || !this.#answers) return undefined;
    const [source, object] = [`${name}.bpf.c`, `${name}.bpf.o`];
    writeFileSync(join(this.#folder, source), text);
    const include = join(packageRoot(), "bpf-templates");
    const job = [this.#folder, ...clangArguments({ include, source, object, testClock: true })];
    this.#child.stdin?.write(`${job.join("\t")}\n`);
    const { value: status } = await this.#answers.next();
    if (status !== "0") return undefined;
    this.compiled++;
    return readFileSync(join(this.#folder, object));
  }

  close(): void {
    this.#child?.stdin?.end();
    if (this.#folder !== NONE) rmSync(this.#folder, { recursive: true, force: true });
  }
}
