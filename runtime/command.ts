import { spawn } from "node:child_process";

/** A command that ended with a status other than 0; the message is what it said itself. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface RunOptions {
  readonly input?: string;
  /** Name of the network namespace to run in; without it, the namespace that Tidegate was started in. */
  readonly namespace?: string | undefined;
}

export function namespaceFile(name: string): string {
  return `/run/netns/${name}`;
}

/** Runs `command` and gives what it printed. Throws CommandError with its words if it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = "", namespace } = options;
  // Not `ip netns exec`: that also remounts /sys, which hides every BPF file system below it (ip-netns(8)).
  const [program, ...rest] =
    namespace === undefined
      ? [command, ...args]
      : ["nsenter", `--net=${namespaceFile(namespace)}`, command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: "pipe" });
    const output: Buffer[] = [];
    const words: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => words.push(chunk));
    child.on("error", (error) => reject(new CommandError(`${command}: ${error.message}`)));
    child.on("close", (status) => {
      if (status === 0) return resolve(Buffer.concat(output).toString());
      const said = Buffer.concat(words).toString().trim() || `exit status ${status}`;
      reject(new CommandError(`${[command, ...args].join(" ")}: ${said}`));
    });
    // A command that ends without reading its input is judged by its status alone.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
