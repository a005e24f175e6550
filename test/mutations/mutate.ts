import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Hunt } from "./hunt.js";
import { page, readPage, table, type Verdict } from "./report.js";
import { MUTATIONS } from "./table.js";
import { Tree } from "./tree.js";
import { typeProblems } from "./types.js";

/**
 * `npm run mutate [-- --only TEXT] [--jobs N] [--likely]`: plants known kinds of bug, one at a time, in copies of the
 * project, and sees that a test fails. Exit code 0: each was caught; 1: some was not; 2: nothing can be said.
 * With UPDATE_DOCS=1 the page says what became of these.
 */

const PROJECT = process.cwd();
const PAGE = "docs/mutations.md";

interface Options {
  /** Parts of names; null: all. */
  readonly only: readonly string[] | null;
  readonly jobs: number;
  /** The named killers only. */
  readonly likely: boolean;
}

function optionsOf(): Options {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      jobs: { type: "string" },
      likely: { type: "boolean", default: false },
    },
  });
  const jobs = Number(values.jobs ?? availableParallelism());
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error("jobs are a whole number, at least 1");
  return { only: values.only ?? null, jobs, likely: values.likely };
}

async function main({ only, jobs: most, likely }: Options): Promise<number> {
  const mutations = MUTATIONS.filter(({ name }) => only?.some((text) => name.includes(text)) ?? true);
  if (mutations.length === 0) return cannot("no mutation has such a name");
  if (process.getuid?.() !== 0) return cannot("the kernel tests need root");

  const folder = mkdtempSync(join(tmpdir(), "tidegate-mutate-"));
  const stop = () => process.exit(130);
  process.once("SIGINT", stop).once("SIGTERM", stop);
  process.once("exit", () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  );
  const jobs = Math.min(most, mutations.length);
  console.log(`${mutations.length} mutations, ${jobs} jobs`);
  const first = Tree.build(PROJECT, join(folder, "tree-0"));
  const others = Array.from({ length: jobs - 1 }, (_, index) =>
    first.copyTo(join(folder, `tree-${index + 1}`)),
  );

  const refused = typeProblems(first.folder, mutations);
  if (refused.length > 0) return cannot(refused.join("\n"));
  const hunt = new Hunt([first, ...others], folder, !likely);
  const verdicts = await hunt.run(mutations, (verdict) => console.log(progress(verdict)));
  return report(verdicts);
}

function cannot(reason: string): number {
  console.error(reason);
  return 2;
}

function progress({ mutation, seconds, ...rest }: Verdict): string {
  const what =
    rest.kind === "caught"
      ? `caught by ${rest.by.file}`
      : rest.kind === "survived"
        ? "SURVIVED"
        : `BROKEN: ${rest.problem}`;
  return `${mutation.name}: ${what} (${seconds.toFixed(1)} s)`;
}

function report(verdicts: readonly Verdict[]): number {
  const caught = verdicts.filter(({ kind }) => kind === "caught").length;
  const total = `caught / planted: ${caught} / ${verdicts.length}`;
  console.log(`\n${table(verdicts)}\n\n${total}`);
  if (process.env["UPDATE_DOCS"]) updatePage(verdicts);
  if (verdicts.some(({ kind }) => kind === "broken")) return 2;
  return caught === verdicts.length ? 0 : 1;
}

function updatePage(verdicts: readonly Verdict[]): void {
  const file = join(PROJECT, PAGE);
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(file, page(MUTATIONS, readPage(readFileSync(file, "utf8")), verdicts, today));
}

/** undefined: said what is wrong with them. */
function readOptions(): Options | undefined {
  try {
    return optionsOf();
  } catch (error) {
    console.error(`${messageOf(error)}\n  mutate [--only TEXT]… [--jobs N] [--likely]`);
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const options = readOptions();
process.exitCode = options ? await main(options).catch((error: unknown) => cannot(messageOf(error))) : 2;
