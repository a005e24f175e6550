import * as estree from "prettier/plugins/estree";
import * as typescript from "prettier/plugins/typescript";
import { format } from "prettier/standalone";
import { type Diagnostic, diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import { SourceFile } from "../../compiler/diagnostics/span.js";
import { sameMeaning } from "../../dsl/same-meaning.js";
import { type ModuleSyntax, readSyntax } from "../../dsl/syntax.js";
import { embedExpressions } from "./embed-expressions.js";

export type Formatted =
  | { readonly kind: "formatted"; readonly text: string }
  | { readonly kind: "unreadable"; readonly source: SourceFile; readonly diagnostics: readonly Diagnostic[] };

/** One style for all policies: there are no options, and no configuration file is read. */
export const WIDTH = 110;

/** Some texts settle only when they are formatted again: a comment that moved gets its own line, and so on. */
const MAX_ROUNDS = 4;

/**
 * A module in Tidegate's style: the TypeScript by prettier, the expressions in it by our own formatter. Formatting
 * the result changes nothing, and the result means what the module meant. Line ends become `\n`; no byte order mark.
 */
export async function formatModule(file: string, text: string): Promise<Formatted> {
  const source = new SourceFile(file, text);
  try {
    return await formatSource(source);
  } catch (problem) {
    // prettier recurses without a limit of its own, as TypeScript's parser does.
    if (!(problem instanceof RangeError)) throw problem;
    return { kind: "unreadable", source, diagnostics: [diagnostic("TG1002", source.span(0, 0), {})] };
  }
}

async function formatSource(source: SourceFile): Promise<Formatted> {
  const before = readSyntax(source);
  if (before.kind === "unreadable") return { ...before, source };
  const text = await settle(before.syntax);
  const after = readSyntax(new SourceFile(source.file, text));
  invariant(
    after.kind === "read" && sameMeaning(before.syntax, after.syntax),
    `formatting ${source.file} would change what it says`,
  );
  return { kind: "formatted", text };
}

async function settle({ source, exprNames }: ModuleSyntax): Promise<string> {
  let text = await formatOnce(source.text.replace(/^\ufeff/, ""), exprNames);
  for (let round = 1; round < MAX_ROUNDS; round++) {
    const again = await formatOnce(text, exprNames);
    if (again === text) return text;
    text = again;
  }
  invariant(false, `formatting ${source.file} does not settle`);
}

async function formatOnce(text: string, exprNames: ReadonlySet<string>): Promise<string> {
  const problems: unknown[] = [];
  const embed = embedExpressions(exprNames, (problem) => problems.push(problem));
  const printer = { ...estree.printers.estree, embed };
  const printers = { ...estree.printers, estree: printer };
  const formatted = await format(text, {
    parser: "typescript",
    plugins: [typescript, { ...estree, printers }],
    printWidth: WIDTH,
    endOfLine: "lf",
  });
  if (problems.length > 0) throw problems[0];
  return formatted;
}
