import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

/** A test that failed. */
export interface Failure {
  readonly file: string;
  readonly test: string;
  /** The first line of what it says. */
  readonly message: string;
}

/** What came of running test files. */
export interface Outcome {
  readonly failures: readonly Failure[];
  /** Files of which no test could run, and other reasons why the run says nothing. */
  readonly broken: readonly string[];
}

/** What vitest's JSON reporter writes. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A tree's own machine: namespaces of its own for network, mounts and processes, so that no run disturbs another. */
const OWN_MACHINE = [
  ...["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"],
  ...["sh", "-c", 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"', "sh"],
];

/** For the slowest files, and for any other (ms). */
const PATIENCE = { start: 240_000, file: 20_000 };

export interface Run {
  /** The tree. */
  readonly folder: string;
  /** A folder that the run may fill. */
  readonly scratch: string;
  readonly files: readonly string[];
  /** The full names of those tests that are run; without it all are. */
  readonly only?: readonly string[];
}

/** Runs tests until one fails. */
export async function runTests({ folder, scratch, files, only }: Run): Promise<Outcome> {
  mkdirSync(scratch, { recursive: true });
  const report = join(scratch, "report.json");
  rmSync(report, { force: true });
  const vitest = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--bail=1",
    "--reporter=json",
    `--outputFile=${report}`,
    ...(only ? ["-t", `^(?:${only.map(literally).join("|")})$`] : []),
  ];
  const argv = [...OWN_MACHINE, process.execPath, ...vitest, ...files];
  const child = spawn("unshare", argv, {
    cwd: folder,
    env: { ...process.env, TMPDIR: scratch, CI: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { output, timedOut } = await ended(child, PATIENCE.start + PATIENCE.file * files.length);
  if (timedOut) return { failures: [], broken: [`tests do not come to an end, from ${files[0]} on`] };
  const found = readReport(report);
  if (!found) return { failures: [], broken: [output.trim().split("\n").slice(-5).join("\n")] };
  return outcomeOf(found, folder);
}

function ended(
  child: ChildProcess,
  patience: number,
): Promise<{ readonly output: string; readonly timedOut: boolean }> {
  let output = "";
  let timedOut = false;
  const listen = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, patience);
  // Before the folders that it writes to are removed.
  const stop = () => child.kill("SIGKILL");
  process.prependOnceListener("exit", stop);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      process.removeListener("exit", stop);
      resolve({ output, timedOut });
    });
  });
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function outcomeOf({ testResults }: Report, folder: string): Outcome {
  const failures = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => ({
        file: relative(folder, name),
        test: fullName,
        message: firstLine(failureMessages[0] ?? ""),
      })),
  );
  const broken = testResults
    .filter(
      ({ status, assertionResults }) =>
        status === "failed" && !assertionResults.some((one) => one.status === "failed"),
    )
    .map(({ name, message }) => `${relative(folder, name)}: ${firstLine(message)}`);
  return { failures, broken };
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
