import type { Mutation } from "./mutation.js";
import type { Failure } from "./trial.js";

/** What became of a planted bug. */
export type Verdict = { readonly mutation: Mutation; readonly seconds: number } & (
  | { readonly kind: "caught"; readonly by: Failure }
  | { readonly kind: "survived" }
  /** It does not compile, or tests could not run. */
  | { readonly kind: "broken"; readonly problem: string }
);

const MOST = 90;

/** One line a bug, as Markdown; `said` is how a failure is named. */
export function table(verdicts: readonly Verdict[], said = fileAndTest): string {
  const rows = verdicts.map((verdict) => [
    verdict.mutation.name,
    verdict.mutation.models,
    fate(verdict, said),
  ]);
  return [["bug", "what it models", "caught by"], ["---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

/** docs/mutations.md: it names files alone, as of several tests that fail the first is named. */
export function page(verdicts: readonly Verdict[], total: string): string {
  return [
    "# Planted bugs, and who caught them",
    "",
    "<!-- Written by `UPDATE_DOCS=1 npm run mutate`. -->",
    "",
    'Each is planted alone, and tests are run until one fails: [CONTRIBUTING](../CONTRIBUTING.md), "The tests are tested".',
    "",
    table(verdicts, fileName),
    "",
    `${total}.`,
    "",
  ].join("\n");
}

function fate(verdict: Verdict, said: (by: Failure) => string): string {
  switch (verdict.kind) {
    case "caught":
      return said(verdict.by);
    case "survived":
      return "**nobody**";
    case "broken":
      return `**broken**: ${clip(verdict.problem)}`;
  }
}

function fileAndTest(by: Failure): string {
  return `${fileName(by)}: ${clip(by.test)}`;
}

function fileName({ file }: Failure): string {
  return file.replace(/^test\//, "").replace(/\.test\.ts$/, "");
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= MOST ? line : `${line.slice(0, MOST - 1)}…`;
}
