import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeFrame, type Field, FrameError, FrameReader } from "./frame.js";

/** An operation of a native helper failed. `errno` is the kernel's number, or null where there is none. */
export class NativeError extends Error {
  constructor(
    readonly operation: string,
    message: string,
    readonly errno: number | null = null,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** The error class of one helper, so that callers can tell its failures from others. */
export type NativeErrorClass = new (operation: string, message: string, errno?: number | null) => NativeError;

export interface StartOptions {
  /** Program and arguments to run instead of the built binary, for instance to enter a namespace first. */
  readonly command?: readonly [string, ...string[]];
}

interface Call {
  readonly operation: string;
  readonly resolve: (results: readonly Buffer[]) => void;
  readonly reject: (error: NativeError) => void;
}

/** Takes the fields of an event: what a helper tells of its own accord, between answers. */
export type OnEvent = (fields: readonly Buffer[]) => void;

/** Enough of the helper's last words to name the cause of its death. */
const STDERR_LIMIT = 16 * 1024;

/** The nearest folder upwards that is the tidegate package: holds whether run from source or from dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const description = join(folder, "package.json");
    if (existsSync(description) && JSON.parse(readFileSync(description, "utf8")).name === "tidegate")
      return folder;
    const parent = dirname(folder);
    if (parent === folder) throw new Error("cannot find the tidegate package that this module belongs to");
    folder = parent;
  }
}

/**
 * A running native helper: requests go to its standard input, answers come from its standard output in the
 * same order. When it dies, every pending and later call fails with its last words.
 */
export class NativeProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #error: NativeErrorClass;
  readonly #onEvent: OnEvent | undefined;
  readonly #reader = new FrameReader();
  readonly #pending: Call[] = [];
  readonly #gone: Promise<void>;
  #stderr = "";
  #death: string | undefined;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    error: NativeErrorClass,
    onEvent: OnEvent | undefined,
  ) {
    this.#child = child;
    this.#error = error;
    this.#onEvent = onEvent;
    child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_LIMIT);
    });
    // A write to a dead process fails with EPIPE; "close" reports the death itself.
    child.stdin.on("error", () => undefined);
    this.#gone = new Promise((resolve) => {
      child.on("close", (code, signal) => {
        this.#die(`${child.spawnfile} ended (${signal ?? `exit code ${code}`})`);
        resolve();
      });
    });
  }

  /** Starts `command`; rejects when the program cannot be run. */
  static start(
    command: readonly [string, ...string[]],
    error: NativeErrorClass,
    onEvent?: OnEvent,
  ): Promise<NativeProcess> {
    const [program, ...args] = command;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    return new Promise((resolve, reject) => {
      child.once("error", (cause: NodeJS.ErrnoException) => {
        const missing =
          cause.code === "ENOENT" ? ": it has not been built (npm run build)" : `: ${cause.message}`;
        reject(new error("start", `cannot run ${program}${missing}`));
      });
      child.once("spawn", () => resolve(new NativeProcess(child, error, onEvent)));
    });
  }

  /** Process id; undefined once it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#death === undefined;
  }

  /** Resolves when the process has ended, to its last words. */
  async ended(): Promise<string> {
    await this.#gone;
    return this.#death ?? "";
  }

  /** Sends one request; resolves to the answer's results, rejects with the helper's error. */
  call(operation: string, ...fields: readonly Field[]): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      try {
        if (this.#death !== undefined) throw new Error(this.#death);
        const frame = encodeFrame([operation, ...fields]);
        this.#pending.push({ operation, resolve, reject });
        this.#child.stdin.write(frame);
      } catch (cause) {
        reject(new this.#error(operation, cause instanceof Error ? cause.message : String(cause)));
      }
    });
  }

  /** Lets pending calls finish, then ends the process, which releases all that it holds. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#gone;
  }

  #receive(chunk: Buffer): void {
    try {
      for (const answer of this.#reader.push(chunk)) this.#settle(answer);
    } catch (cause) {
      this.#die(
        `${this.#child.spawnfile} sent a bad answer: ${cause instanceof Error ? cause.message : cause}`,
      );
      this.#child.kill();
    }
  }

  #settle([status, ...results]: readonly Buffer[]): void {
    if (this.#onEvent && status?.toString() === "event") {
      this.#onEvent(results);
      return;
    }
    const call = this.#pending.shift();
    if (!call) throw new FrameError("an answer without a request");
    if (status?.toString() === "ok") {
      call.resolve(results);
    } else {
      const [message, errno] = results.map(String);
      call.reject(
        new this.#error(call.operation, message?.trimEnd() ?? "no reason given", Number(errno) || null),
      );
    }
  }

  #die(reason: string): void {
    const words = this.#stderr.trim();
    this.#death ??= words === "" ? reason : `${reason}: ${words}`;
    for (const call of this.#pending.splice(0)) call.reject(new this.#error(call.operation, this.#death));
  }
}
