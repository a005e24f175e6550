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

/** One line a bug, as Markdown. */
export function table(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { name, models } = verdict.mutation;
    return [name, models, fate(verdict, fileAndTest)];
  });
  return markdown(["bug", "what it models", "caught by"], rows);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

const NOBODY = "**nobody**";

/** `said` is how a failure is named. */
function fate(verdict: Verdict, said: (by: Failure) => string): string {
  switch (verdict.kind) {
    case "caught":
      return said(verdict.by);
    case "survived":
      return NOBODY;
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

/** What docs/mutations.md says of a bug: it names files alone, as of several tests that fail the first is named. */
export interface Planted {
  readonly fate: string;
  /** The day of the run, as in 2026-11-30 (UTC). */
  readonly on: string;
}

/** What the page says so far, by the bugs' names. */
export function readPage(text: string): ReadonlyMap<string, Planted> {
  const cells = text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
  return new Map(
    cells
      .filter(([, , , , on = ""]) => /^\d{4}-\d\d-\d\d$/.test(on))
      .map(([, name = "", , fate = "", on = ""]) => [name, { fate, on }]),
  );
}

/** The page with these verdicts of today. All others stay as they were; of bugs that are no more nothing is said. */
export function page(
  mutations: readonly Mutation[],
  before: ReadonlyMap<string, Planted>,
  verdicts: readonly Verdict[],
  today: string,
): string {
  const fates = new Map(before);
  for (const verdict of verdicts)
    fates.set(verdict.mutation.name, { fate: fate(verdict, fileName), on: today });
  const rows = mutations.map(({ name, models }) => {
    const { fate, on } = fates.get(name) ?? { fate: "", on: "not yet" };
    return [name, models, fate, on];
  });
  const planted = rows.filter(([, , fate]) => fate !== "");
  const caught = planted.filter(([, , fate]) => !fate?.startsWith("**"));
  const waiting = rows.length - planted.length;
  return [
    "# Planted bugs, and who caught them",
    "",
    "<!-- Written by `UPDATE_DOCS=1 npm run mutate`. -->",
    "",
    'Each is planted alone, and tests are run until one fails: [CONTRIBUTING](../CONTRIBUTING.md), "The tests are tested".',
    "The last column is the day (UTC) of the run that says so.",
    "",
    markdown(["bug", "what it models", "caught by", "planted on"], rows),
    "",
    `Caught / planted: ${caught.length} / ${planted.length}${waiting > 0 ? `; not planted yet: ${waiting}` : ""}.`,
    "",
  ].join("\n");
}
