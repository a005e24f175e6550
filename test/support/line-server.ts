import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";

/** A process that answers each line of its input with one of its output, in turn. It ends with its input, so also with this process. */
export class LineServer {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #hasEnded = false;
  #said = "";
  #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];

  constructor([command, ...args]: readonly [string, ...string[]]) {
    this.#child = spawn(command, args, { stdio: "pipe" });
    this.#closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk;
    });
    this.#lines().on("line", (line) => this.#waiting.shift()?.resolve(line));
    // Whoever wrote to it when it had ended is told by its end.
    this.#child.stdin?.on("error", () => {});
    void this.#closed.then(() => {
      this.#hasEnded = true;
      for (const { reject } of this.#waiting) reject(new Error(`${command} ended: ${this.#said}`));
    });
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) {
        reject(new Error(`it has ended: ${this.#said}`));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#closed;
  }

  #lines(): Interface {
    const { stdout } = this.#child;
    if (!stdout) throw new Error("its output is a pipe");
    return createInterface({ input: stdout });
  }
}
