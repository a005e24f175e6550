import { type ChildProcess, spawn } from "node:child_process";

/** A command that did not end well; the message holds what it printed to stderr. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";

  constructor(
    readonly argv: readonly string[],
    readonly status: number | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(`\`${argv.join(" ")}\` failed (${status ?? "killed"}): ${stderr.trim() || stdout.trim()}`);
  }
}

/**
 * A process that cannot outlive this one, not even when this one is killed: the kernel ends it (prctl(2),
 * PR_SET_PDEATHSIG). It has a process group of its own, so that Ctrl-C reaches only the demo, which then
 * takes everything down in order.
 */
export function spawnBound(argv: readonly string[]): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", "--", ...argv], { detached: true, stdio: "pipe" });
}

/** Waits for the end of a process and returns its standard output. */
export async function finished(
  child: ChildProcess,
  argv: readonly string[],
  input: string | Uint8Array = "",
): Promise<Buffer> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A process may end without reading all of its input: its exit status tells more than EPIPE.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const status = await closed(child);
  const output = Buffer.concat(stdout);
  if (status !== 0)
    throw new CommandFailed(argv, status, output.toString(), Buffer.concat(stderr).toString());
  return output;
}

/** Resolves when the process has ended and its pipes are closed: with its status, or null when killed. */
export function closed(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status));
  });
}

/** Ends a process, if it has not ended, and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

/** Resolves with the first output that holds `text`; fails when the process ends without it. */
export function printed(child: ChildProcess, stream: "stdout" | "stderr", text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const take = (chunk: Buffer): void => {
      seen += chunk.toString();
      if (!seen.includes(text)) return;
      child[stream]?.off("data", take);
      resolve(seen);
    };
    child[stream]?.on("data", take);
    child.once("error", reject);
    child.once("close", (status) =>
      reject(
        new Error(`${child.spawnargs.join(" ")} ended (${status ?? "killed"}) without "${text}": ${seen}`),
      ),
    );
  });
}
