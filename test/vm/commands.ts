import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What is missing on this machine, in one line that says what to do. */
export class Missing extends Error {
  override readonly name = "Missing";
}

/** What a command prints. Rejects with what it said on its standard error. */
export async function output(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execute(command, args, { cwd, maxBuffer: 1 << 24 });
  return stdout;
}

/** What xz(1) makes of a compressed file. */
export async function unpacked(file: string): Promise<Buffer> {
  const { stdout } = await execute("xz", ["-dc", file], { encoding: "buffer", maxBuffer: 1 << 28 });
  return stdout;
}
