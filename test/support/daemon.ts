import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import type { EdgeServer } from "./edge-server.js";

/** The built `tidegated`, on an edge server of the test's own. */
export class RunningDaemon {
  readonly #child: ChildProcess;
  /** Its exit code, null if a signal ended it. */
  readonly ended: Promise<number | null>;
  #output = "";
  #heard = () => {};
  #read = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk;
        this.#heard();
      });
    }
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  }

  /** `before`: a command line that runs what follows it, such as setpriv(1). */
  static start(
    server: EdgeServer,
    args: readonly string[],
    options: { readonly before?: readonly string[]; readonly environment?: NodeJS.ProcessEnv } = {},
  ): RunningDaemon {
    const daemon = join(packageRoot(), "dist/bin/tidegated.js");
    const [command, ...rest] = server.enter([...(options.before ?? []), "node", daemon, ...args]);
    const env = { ...process.env, JOURNAL_STREAM: "8:1", ...options.environment };
    return new RunningDaemon(spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], env }));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** All that it said until now. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it says something like this, after what was waited for before; gives the line. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const lines = this.#output.slice(this.#read).split("\n").slice(0, -1);
      const at = lines.findIndex((line) => pattern.test(line));
      if (at >= 0) {
        this.#read += lines.slice(0, at + 1).join("\n").length + 1;
        return lines[at] ?? "";
      }
      const silence = new Promise((_, reject) => {
        setTimeout(() => reject(new Error(`never said ${pattern}, but:\n${this.#output}`)), 20_000).unref();
      });
      const more = new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
      await Promise.race([more, this.ended.then(() => Promise.reject(new Error(this.#output))), silence]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it by a signal; gives its exit code. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended;
  }
}

/** An edge.ts that says what `node` is. */
export function writeEdge(file: string, { uplinks, anycast, owners }: NodeConfig): string {
  const text = `import { edge } from "tidegate";\nexport default edge(${JSON.stringify({ uplinks, anycast, owners })});\n`;
  writeFileSync(file, text);
  return file;
}
