import { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../compiler/diagnostics/span.js";
import { layOut } from "./layout.js";
import { lex } from "./lex.js";
import { tooDeep } from "./nesting.js";
import { parseTokens } from "./parser.js";
import { Problems } from "./problems.js";
import { flatText, type Words, wordsOf } from "./words.js";

/** What stands between the backticks of expr`…`; offsets of the interpolations are those of `text`. */
export interface ExpressionText {
  readonly text: string;
  readonly holes: readonly { readonly start: number; readonly end: number }[];
}

/** In columns. */
export interface FormatOptions {
  /** Of the line that the expression begins in. On several lines it stands two columns further in. */
  readonly indent: number;
  /** Longest line, its indentation counted. */
  readonly width: number;
}

/**
 * The same expression in the usual spelling: `and or xor not in` in words, `== != < <= > >= &` in signs, single
 * spaces; comments, literals and interpolations as they are. On one line if it fits and has no comments, else on
 * lines of its own, broken at the loosest operators. Undefined if it cannot be read without a mistake.
 */
export function formatExpression(template: ExpressionText, options: FormatOptions): string | undefined {
  const words = readWords(template);
  if (!words) return undefined;
  const line = flatText(words.words);
  const hasComments =
    words.trailing.length > 0 || words.words.some((word) => word.before.length > 0 || word.after);
  if (!hasComments && line !== undefined && options.indent + line.length <= options.width) return line;
  const lines = layOut(words, options.indent + 2, options.width);
  return `\n${lines.join("\n")}\n${" ".repeat(options.indent)}`;
}

/** The values of interpolations do not matter: one that is unknown fits everywhere. */
function readWords({ text, holes }: ExpressionText): Words | undefined {
  const source = new SourceFile("expression", text);
  const diagnostics = new Diagnostics();
  const problems = new Problems(source, diagnostics);
  const unknown = holes.map(({ start, end }) => ({ start, end, value: { kind: "unknown" } as const }));
  const lexed = lex({ source, start: 0, end: text.length, holes: unknown }, problems);
  if (tooDeep(lexed.tokens)) return undefined;
  const parsed = parseTokens(lexed.tokens, problems);
  return "filter" in parsed && diagnostics.all.length === 0 ? wordsOf(lexed, text) : undefined;
}
