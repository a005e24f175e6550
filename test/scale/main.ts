import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT, UsageError } from "../../src/cli/exit.js";
import { requireKernel } from "../../src/cli/verify/requirements.js";
import { compileAll } from "./compiling.js";
import { load, measure, restart } from "./measuring.js";
import { memory, memoryEach } from "./memory.js";
import { BusyNode } from "./node.js";
import { MAX_CUSTOMERS, MIN_RULES } from "./policies.js";
import { problemsOf, type Results, render } from "./results.js";
import { countArrivals } from "./traffic.js";

/**
 * `npm run scale -- --customers N --rules N`: many customers on one edge server, and what each of them costs. Exit 0: a change
 * takes hardly longer among many than among few, and nothing was lost or let through; 1: that does not hold; 2: it cannot run.
 */

/** Customers that are few. */
const FEW = 10;

interface Options {
  readonly customers: number;
  readonly rules: number;
  readonly jobs: number;
  /** Bundles are kept there, and taken from there; undefined: nowhere. */
  readonly bundles: string | undefined;
}

function optionsOf(): Options {
  try {
    const { values } = parseArgs({
      options: {
        customers: { type: "string", default: "1000" },
        rules: { type: "string", default: "20" },
        jobs: { type: "string", default: "2" },
        bundles: { type: "string" },
      },
    });
    return {
      customers: number("--customers", values.customers, FEW + 1, MAX_CUSTOMERS),
      rules: number("--rules", values.rules, MIN_RULES, 200),
      jobs: number("--jobs", values.jobs, 1, 64),
      bundles: values.bundles,
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(String(error));
  }
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: a whole number from ${least} to ${most}`);
}

async function run(options: Options, workshop: string): Promise<Results> {
  const { customers, rules } = options;
  const first = Array.from({ length: customers }, (_, index) => ({ index, rules, variant: 0 }));
  const compiled = await compileAll([...first, { index: 0, rules, variant: 1 }], workshop, options.jobs);
  say(`${compiled.length} policies compiled`);
  const node = await BusyNode.start();
  onSignal(() => node.end());
  try {
    countArrivals(node.edge);
    const loadedFew = await load(node, workshop, { from: 0, to: FEW, say });
    const few = await measure(node, workshop, { customers: FEW, loaded: loadedFew });
    const before = memory();
    const loadedMany = await load(node, workshop, { from: FEW, to: customers, say });
    const many = await measure(node, workshop, { customers, loaded: loadedMany });
    const each = memoryEach(before, memory(), customers - FEW);
    const restarted = await restart(node, workshop, customers);
    return { rules, compiled, few, many, each, restarted };
  } finally {
    await node.end();
  }
}

/** A machine that is not ended would stay: its processes are not of this one's group. */
function onSignal(end: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void end().finally(() => process.exit(128 + (signal === "SIGINT" ? 2 : 15))));
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const options = optionsOf();
  requireKernel(["clang", "llvm-strip", "bpftool", "nft", "ip"]);
  const workshop = options.bundles ?? mkdtempSync(join(tmpdir(), "tidegate-scale-"));
  // Also where a signal ends the process.
  process.once("exit", () => options.bundles ?? rmSync(workshop, { recursive: true, force: true }));
  const results = await run(options, workshop);
  process.stdout.write(render(results));
  const problems = problemsOf(results);
  for (const problem of problems) say(problem);
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
