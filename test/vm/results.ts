import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type InteropRow, readInterop } from "../support/interop-table.js";

/** A row of the table: what the tests said on one kernel. */
export interface Result {
  /** As it was asked for. */
  readonly kernel: string;
  /** As uname(1) says it. */
  readonly release: string;
  /** Who does GRE there. */
  readonly gre: string;
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  /** Not tried there, for whatever reason. */
  readonly skipped: number;
  readonly seconds: number;
  /** How two ends of a tunnel came along with one another. */
  readonly interop: readonly InteropRow[];
}

/** The file in the folder of a run that `TIDEGATE_INTEROP` names to the tests. */
export const INTEROP = "interop.json";

/** Of vitest's JSON reporter. */
const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

/** Reads what `on-this-kernel` has left in a folder; undefined if it was ended before its tests were. */
export function readResult(kernel: string, folder: string, seconds: number): Result | undefined {
  if (!existsSync(join(folder, "report.json"))) return undefined;
  const word = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  const said = report.parse(JSON.parse(word("report.json")));
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = said;
  // A file that could not be read, or where nothing could begin, has no test that could fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  ).length;
  return {
    ...{ kernel, seconds, release: word("release"), gre: word("gre") },
    ...{ files: testResults.length, passed: numPassedTests, failed: numFailedTests + broken },
    ...{ skipped: numPendingTests, interop: readInterop(join(folder, INTEROP)) },
  };
}

/** The table, one kernel a line. */
export function formatResults(results: readonly Result[]): string {
  const rows = results.map(({ kernel, release, gre, files, passed, failed, skipped, seconds }) => [
    ...[kernel, release, gre === "kernel" ? "kernel" : "eBPF"],
    ...[`${files}`, `${passed}`, `${failed}`, `${skipped}`, (seconds / 60).toFixed(1)],
  ]);
  const head = ["kernel", "release", "GRE by", "files", "passed", "failed", "skipped", "minutes"];
  return table([head, ...rows], (column) => column >= 3);
}

/** What was tried between the ends of tunnels on all kernels; in Markdown, as docs/kernels.md has it. */
export function formatInterop(results: readonly Result[]): string {
  const rows = results.flatMap(({ kernel, interop }) => interop.map((row) => ({ kernel, ...row })));
  const tried = [...new Set(rows.flatMap(({ went }) => Object.keys(went)))];
  const head = ["kernel", "at the edge", "at the router", "tunnel", ...tried];
  const body = rows.map(({ kernel, edge, router, tunnel, went }) => {
    return [kernel, edge, router, tunnel, ...tried.map((what) => went[what] ?? "–")];
  });
  const lines = [head, head.map(() => "---"), ...body];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function table(rows: readonly (readonly string[])[], isNumber: (column: number) => boolean): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const padded = (cell: string, column: number) =>
    isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}
