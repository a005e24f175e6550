import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../runtime/native-process.js";
import { type Manifest, manifestSchema } from "../src/targets/manifest.js";

/** What `tidegate compile` made of a policy, and what that took. */
export interface Built {
  readonly kind: "built";
  readonly folder: string;
  readonly manifest: Manifest;
  readonly figures: CompileFigures;
}

export interface CompileFigures {
  readonly rules: number;
  readonly tableBytes: number;
  readonly ms: { readonly read: number; readonly compile: number; readonly clang: number };
  /** From start to end, Node's own start and the proof included. */
  readonly seconds: number;
  /** Of all processors, as far as they worked for the command; clang, a process of its own, is not in it. */
  readonly cpuSeconds: number;
  /** The largest resident set of the command, again without clang. */
  readonly peakBytes: number;
}

/** `problem` in words: "does not compile: TG4001". */
export interface NotBuilt {
  readonly kind: "not built";
  readonly problem: string;
}

const COMMAND = join(packageRoot(), "dist/bin/tidegate.js");

/** A policy's text, and other files beside it by name. */
export interface Written {
  readonly text: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** Compiles a policy by the command line, as its author would, in a folder of its own below `workshop`. */
export async function build(
  workshop: string,
  name: string,
  { text, files = {} }: Written,
): Promise<Built | NotBuilt> {
  const folder = join(workshop, name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "bench.policy.ts");
  writeFileSync(file, text);
  for (const [beside, content] of Object.entries(files)) writeFileSync(join(folder, beside), content);
  const bundle = join(folder, "bundle");
  const { code, output, errors, ...taken } = await run(["compile", file, "-o", bundle, "--json"]);
  if (code !== 0) {
    const codes = [...new Set(errors.match(/TG\d{4}/g) ?? [])];
    const why = codes.length > 0 ? codes.join(", ") : (errors.trim().split("\n")[0] ?? `exit code ${code}`);
    return { kind: "not built", problem: `does not compile: ${why}` };
  }
  const { rules, tableBytes, ms } = JSON.parse(output) as Pick<CompileFigures, "rules" | "tableBytes" | "ms">;
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8")));
  return { kind: "built", folder: bundle, manifest, figures: { rules, tableBytes, ms, ...taken } };
}

interface Ended extends Pick<CompileFigures, "seconds" | "cpuSeconds" | "peakBytes"> {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** How often a running command is looked at: of what it takes, only the last moment is missed. */
const LOOK_MS = 20;

function run(args: readonly string[]): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, NO_COLOR: "1" } });
  let [output, errors] = ["", ""];
  let taken: Taken = { cpuSeconds: 0, peakBytes: 0 };
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const looking = setInterval(() => {
    taken = takenBy(child.pid) ?? taken;
  }, LOOK_MS);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(looking);
      resolve({ code, output, errors, seconds: (performance.now() - started) / 1000, ...taken });
    });
  });
}

type Taken = Pick<CompileFigures, "cpuSeconds" | "peakBytes">;

/** USER_HZ, in which the kernel tells times to all programs. */
const TICKS_A_SECOND = 100;

/** What a process has taken so far: utime and stime of /proc/PID/stat, VmHWM of /proc/PID/status (proc(5)). */
function takenBy(pid: number | undefined): Taken | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    // The name, in brackets, may hold anything; the first field behind it is the third one.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "").trim().split(" ");
    const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3]);
    return peak === undefined
      ? undefined
      : { cpuSeconds: ticks / TICKS_A_SECOND, peakBytes: 1024 * Number(peak) };
  } catch {
    return undefined;
  }
}
