import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

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
  readonly seconds: number;
}

/** Of vitest's JSON reporter. */
const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** Reads what `on-this-kernel` has left in a folder; undefined if it was ended before its tests were. */
export function readResult(kernel: string, folder: string, seconds: number): Result | undefined {
  if (!existsSync(join(folder, "report.json"))) return undefined;
  const word = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  const { numPassedTests, numFailedTests, testResults } = report.parse(JSON.parse(word("report.json")));
  // A file that could not be read has no test that could fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  ).length;
  return {
    ...{ kernel, seconds, release: word("release"), gre: word("gre") },
    ...{ files: testResults.length, passed: numPassedTests, failed: numFailedTests + broken },
  };
}

/** The table, one kernel a line. */
export function formatResults(results: readonly Result[]): string {
  const rows = [
    ["kernel", "release", "GRE by", "files", "passed", "failed", "minutes"],
    ...results.map(({ kernel, release, gre, files, passed, failed, seconds }) => [
      ...[kernel, release, gre === "kernel" ? "kernel" : "eBPF"],
      ...[`${files}`, `${passed}`, `${failed}`, (seconds / 60).toFixed(1)],
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const isNumber = (column: number) => column >= 3;
  return rows
    .map((row) =>
      row
        .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
