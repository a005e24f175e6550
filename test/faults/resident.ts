import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import type { EdgeServer } from "../support/edge-server.js";
import type { Action, Point } from "./points.js";

export interface Call {
  readonly operation: "apply" | "remove" | "rollback" | "uninstall" | "recoverNode" | "status" | "turn";
  readonly options: object;
}

export type Fault = Pick<Point, "kind" | "alike" | "nth">;

/** How a call ended. */
export interface Answer {
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string; readonly stack: string };
  readonly actions?: readonly Action[];
  /** The process is no more: it did not live to answer. */
  readonly killed?: true;
  /** What went wrong, as it was called when it was reached; undefined if it never was. */
  readonly reached: string | undefined;
}

/** A process with the runtime in it, on an edge server; it takes one call after another, so that none pays for its start. */
export class Resident {
  readonly #child: ChildProcessWithoutNullStreams;
  #output = "";
  #words = "";
  #settle: () => void = () => {};
  #heard: () => void = () => {};
  #dead = false;

  constructor(server: EdgeServer) {
    const [command, ...args] = server.enter(["node", join(packageRoot(), "test/faults/worker.mjs")]);
    this.#child = spawn(command, args, { stdio: "pipe" });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#output += chunk;
      this.#settle();
    });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#words += chunk;
      if (this.#words.includes("\n")) this.#heard();
    });
    this.#child.stdin.on("error", () => {});
    this.#child.on("close", () => {
      this.#dead = true;
      this.#settle();
    });
  }

  get alive(): boolean {
    return !this.#dead;
  }

  /** `meanwhile`: done while the process stands still, for a fault of the kind `rival`. */
  async call(
    { operation, options }: Call,
    fault?: Fault,
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<Answer> {
    this.#words = "";
    let standing = Promise.resolve();
    this.#heard = () => {
      this.#heard = () => {};
      if (fault?.kind === "rival") standing = meanwhile().finally(() => this.#child.kill("SIGCONT"));
    };
    const answered = new Promise<void>((resolve) => {
      this.#settle = () => {
        if (this.#dead || this.#output.includes("\n")) resolve();
      };
    });
    this.#child.stdin.write(`${JSON.stringify({ operation, options, fault })}\n`);
    await answered;
    await standing;
    const reached = /^reached (.*)$/m.exec(this.#words)?.[1];
    const strange = this.#words.replace(/^reached .*\n/gm, "");
    if (strange !== "") throw new Error(`${operation} said: ${strange}`);
    const [line = "", ...rest] = this.#output.split("\n");
    this.#output = rest.join("\n");
    return line === "" ? { killed: true, reached } : { ...JSON.parse(line), reached };
  }

  /** Its end; what it has begun is done before. */
  async end(): Promise<void> {
    if (this.#dead) return;
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin.end();
    await closed;
  }
}
