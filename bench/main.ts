import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { requireKernel } from "../src/cli/verify/requirements.js";
import { type AddressList, addressLists } from "./lists.js";
import { type Measured, measureSets, SECTIONS, type Section } from "./measure.js";
import { FULL, QUICK } from "./options.js";
import { printResults, writeResults } from "./report/results.js";
import { classBenchSets, ownSets, type RuleSet } from "./sets.js";

interface Options {
  readonly classbench?: string;
  readonly only: readonly Section[];
  readonly sets?: string;
  readonly quick: boolean;
  readonly output?: string;
}

/** `npm run bench`: measures, prints, and keeps what was measured with rules of our own. */
async function main(): Promise<void> {
  const options = readOptions();
  requireKernel(["clang", "llvm-strip"]);
  const sets = chooseSets(options);
  const workshop = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  try {
    const effort = options.quick ? QUICK : FULL;
    const measured = await measureSets(sets, chooseLists(options), options.only, { effort, workshop, say });
    printResults(measured);
    keep(measured, options);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

function readOptions(): Options {
  const command = new Command("bench")
    .description("Measures Tidegate and its peers side by side: docs/bench.md.")
    .option(
      "--classbench <dir>",
      "measure the ClassBench sets of a folder instead of our own; nothing is kept",
    )
    .addOption(new Option("--only <section...>", "measure less").choices(SECTIONS).default([...SECTIONS]))
    .option("--sets <pattern>", "only sets whose name the regular expression matches")
    .option("--quick", "small sets and few rounds: whether it runs, not how fast", false)
    .option("--output <dir>", "keep results there; bench/results unless --quick or --classbench")
    .exitOverride()
    .parse();
  return command.opts<Options>();
}

function chooseSets({ classbench, quick, sets }: Options): readonly RuleSet[] {
  const all = classbench === undefined ? ownSets(quick) : classBenchSets(classbench, say);
  const pattern = sets === undefined ? undefined : new RegExp(sets);
  return all.filter(({ name }) => pattern?.test(name) ?? true);
}

/** Lists are always ours. */
function chooseLists({ classbench, quick, sets }: Options): readonly AddressList[] {
  const pattern = sets === undefined ? undefined : new RegExp(sets);
  return classbench === undefined
    ? addressLists(quick).filter(({ name }) => pattern?.test(name) ?? true)
    : [];
}

/** Measurements with other people's rules are for the eye only, wherever they would go. */
function keep(measured: Measured, { classbench, quick, sets, only, output }: Options): void {
  const whole = !quick && sets === undefined && only.length === SECTIONS.length;
  const folder = output ?? (whole ? "bench/results" : undefined);
  if (folder !== undefined && classbench === undefined) writeResults(folder, measured);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
