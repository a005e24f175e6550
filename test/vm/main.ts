import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT, UsageError } from "../../src/cli/exit.js";
import { packageRoot } from "../../src/cli/package-root.js";
import { buildTests } from "./built.js";
import { Missing, output } from "./commands.js";
import { kernelOf, SERIES, type Series } from "./kernels.js";
import { runMachine, VIRTIOFSD } from "./machine.js";
import { formatInterop, formatResults, INTEROP, type Result, readResult } from "./results.js";
import { suiteFor, WITHOUT_LEFT_OUT } from "./suite.js";

/**
 * `npm run test:vm -- [--kernel 6.1|6.12|host]… [FILE…]`: kernel tests on Debian's kernels in virtual machines, and on this one.
 * Exit 0: all passed; 1: one failed, or a machine died; 2: it cannot run here. docs/kernels.md
 */

const KERNELS = [...SERIES, "host"] as const;
type Name = (typeof KERNELS)[number];

const MEMORY_MB = 3072;

/** How much longer than on this machine anything may take in one that is emulated. */
const PATIENCE = "20";

/** Of what tests try again and again an emulated machine tries as much as fits into its minutes. */
const FEWER = { FLIPS: "2", TIDEGATE_NFT_POLICIES: "8" };

interface Options {
  readonly kernels: readonly Name[];
  /** None: what fits to each kernel. */
  readonly files: readonly string[];
  readonly minutes: number;
}

function optionsOf(): Options {
  try {
    const { values, positionals } = parseArgs({
      options: { kernel: { type: "string", multiple: true }, minutes: { type: "string" } },
      allowPositionals: true,
    });
    const kernels = (values.kernel ?? KERNELS).map((name) => {
      const found = KERNELS.find((kernel) => kernel === name);
      if (!found) throw new UsageError(`no kernel ${name}: there are ${KERNELS.join(", ")}`);
      return found;
    });
    const minutes = Number(values.minutes ?? 90);
    if (!(minutes > 0)) throw new UsageError("minutes are more than 0");
    const missing = positionals.find((file) => !existsSync(join(packageRoot(), file)));
    if (missing) throw new UsageError(`there is no file ${missing}`);
    return { kernels, minutes, files: positionals };
  } catch (problem) {
    throw problem instanceof TypeError ? new UsageError(problem.message) : problem;
  }
}

/** Tools of the virtual machines → Debian package. */
const TOOLS = {
  "qemu-system-x86_64": "qemu-system-x86",
  busybox: "busybox-static",
  depmod: "kmod",
  xz: "xz-utils",
  "dpkg-deb": "dpkg",
  "apt-get": "apt",
} as const;

async function requireTools(): Promise<void> {
  if (arch() !== "x64") throw new Missing(`the virtual machines are x86-64, this is ${arch()}`);
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const missing = Object.entries(TOOLS).filter(
    ([tool]) => spawnSync("sh", ["-c", `command -v ${tool}`], { env: { PATH: path } }).status !== 0,
  );
  const packages: string[] = missing.map(([, name]) => name);
  // Of QEMU's own packages in Debian 12, one of its own in Debian 13.
  const own = VIRTIOFSD.some(existsSync)
    ? ""
    : await output("apt-cache", ["search", "--names-only", "^virtiofsd$"]);
  if (own !== "") packages.push("virtiofsd");
  if (packages.length > 0)
    throw new Missing(`please run: apt-get install --no-install-recommends ${packages.join(" ")}`);
}

function filesFor(name: Name, { files }: Options): readonly string[] {
  return files.length > 0 ? files : suiteFor(name);
}

/** Runs the tests on one kernel; `folder` is for what they leave. */
async function runOn(name: Name, options: Options, folder: string): Promise<number | string> {
  const { minutes } = options;
  const files = filesFor(name, options);
  const script = join(packageRoot(), "test/vm/on-this-kernel");
  if (name === "host") {
    const env = { ...process.env, TIDEGATE_INTEROP: join(folder, INTEROP) };
    return spawnSync(script, [folder, ...files], { stdio: "inherit", env }).status ?? "killed";
  }
  const chosen = options.files.length === 0 ? [`export TIDEGATE_TESTS=${quoted(WITHOUT_LEFT_OUT)}`] : [];
  const lines = [...chosen, ...environment(), `exec ${[script, "/share", ...files].map(quoted).join(" ")}`];
  writeFileSync(join(folder, "run"), `${lines.join("\n")}\n`);
  return runMachine({
    kernel: await kernelOf(name satisfies Series),
    share: folder,
    memoryMb: MEMORY_MB,
    minutes,
  });
}

/** What the tests are told by their environment is told to those in the machine, too. */
function environment(): readonly string[] {
  const asked = Object.entries(process.env).filter(([name]) => /^(TIDEGATE_\w+|FLIPS|FLIP_RATE)$/.test(name));
  const set = {
    TIDEGATE_PATIENCE: PATIENCE,
    TIDEGATE_INTEROP: `/share/${INTEROP}`,
    ...FEWER,
    CI: "true",
    NO_COLOR: "1",
    HOME: "/root",
    PATH: process.env["PATH"] ?? "",
  };
  return [...Object.entries(set), ...asked].map(([name, value]) => `export ${name}=${quoted(value ?? "")}`);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A folder that is gone afterwards, also when we are told to end. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-vm-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    await work(folder);
  } finally {
    remove();
    process.off("exit", remove);
  }
}

async function main(): Promise<number> {
  const options = optionsOf();
  if (process.getuid?.() !== 0) throw new Missing("please run it as root");
  if (options.kernels.some((name) => name !== "host")) await requireTools();
  await buildTests([...new Set(options.kernels.flatMap((name) => filesFor(name, options)))]);
  const results: Result[] = [];
  let failed = false;
  for (const name of options.kernels) {
    const started = performance.now();
    console.log(`\n── kernel ${name}`);
    await inFolder(async (folder) => {
      const status = await runOn(name, options, folder);
      if (status !== 0) failed = true;
      const result = readResult(name, folder, (performance.now() - started) / 1000);
      if (result) results.push(result);
      else console.error(`kernel ${name}: no test has ended, ${status}`);
    });
  }
  if (results.some(({ interop }) => interop.length > 0))
    console.log(`\nTunnels between two ends of different make:\n\n${formatInterop(results)}`);
  console.log(`\n${formatResults(results)}`);
  return failed ? EXIT.failed : EXIT.ok;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(EXIT.failed));

process.exitCode = await main().catch((problem: unknown) => {
  if (!(problem instanceof Missing || problem instanceof UsageError)) throw problem;
  console.error(`test:vm: ${problem.message}`);
  return EXIT.usage;
});
