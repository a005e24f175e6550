import { readFileSync } from "node:fs";
import pc from "picocolors";
import { EXIT, UsageError } from "../exit.js";
import { type Formatted, formatModule } from "../fmt/format-module.js";
import { readSource } from "../io/read-source.js";
import { replaceFile, requirePlainFile } from "../io/replace-file.js";
import { printErrors } from "../load-policy.js";
import { printable } from "../render/underline.js";

interface FmtOptions {
  readonly check?: boolean;
  readonly stdin?: boolean;
}

type Outcome = "unreadable" | "changed" | "unchanged";

/**
 * `tidegate fmt`: policies and their modules in one style. A file that cannot be read as TypeScript stays as it is.
 * With `check`, nothing is written and a file that is not in style fails.
 */
export async function fmt(files: readonly string[], options: FmtOptions): Promise<number> {
  if (options.stdin) return fmtStdin(files, options);
  if (files.length === 0) throw new UsageError("name the files to format, or give --stdin");
  const outcomes: Outcome[] = [];
  for (const file of new Set(files)) outcomes.push(await fmtFile(file, options));
  const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
  summarize(outcomes.length, count("changed"), count("unreadable"), options);
  const failed = count("unreadable") > 0 || (options.check === true && count("changed") > 0);
  return failed ? EXIT.failed : EXIT.ok;
}

async function fmtFile(file: string, { check }: FmtOptions): Promise<Outcome> {
  if (!file.endsWith(".ts")) throw new UsageError(`${file} is not a .ts file`);
  requirePlainFile(file);
  const before = readSource(file);
  const text = textOf(await formatModule(file, before));
  if (text === undefined) return "unreadable";
  if (text === before) return "unchanged";
  if (!check) replaceFile(file, text);
  console.log(`${check ? pc.yellow("not formatted") : pc.green("formatted")}  ${printable(file)}`);
  return "changed";
}

/** For editors: text in, text out; the text is `name`d in what is reported. */
async function fmtStdin(
  [name = "stdin", ...more]: readonly string[],
  { check }: FmtOptions,
): Promise<number> {
  if (more.length > 0) throw new UsageError("--stdin takes at most one name");
  const before = readFileSync(0, "utf8");
  const text = textOf(await formatModule(name, before));
  if (text === undefined) return EXIT.failed;
  if (check) return text === before ? EXIT.ok : EXIT.failed;
  process.stdout.write(text);
  return EXIT.ok;
}

/** The new text, or undefined after printing why there is none. */
function textOf(formatted: Formatted): string | undefined {
  if (formatted.kind === "formatted") return formatted.text;
  printErrors(formatted.diagnostics, [formatted.source]);
  return undefined;
}

function summarize(all: number, changed: number, unreadable: number, { check }: FmtOptions): void {
  const files = all === 1 ? "1 file" : `${all} files`;
  const mistakes = unreadable === 0 ? "" : `, ${unreadable} with mistakes left as they are`;
  if (check) {
    const ok = changed + unreadable === 0;
    console.log(ok ? `${pc.green("ok")} ${files} in style` : `${files}: ${changed} not formatted${mistakes}`);
  } else
    console.log(`${unreadable === 0 ? `${pc.green("ok")} ` : ""}${files}: ${changed} formatted${mistakes}`);
}
