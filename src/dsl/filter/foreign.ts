import type { IToken, TokenType } from "chevrotain";
import { clip } from "../../compiler/diagnostics/clip.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Problems } from "./problems.js";
import * as Token from "./tokens.js";

/** What people write from habit, and what they mean by it here. */

interface Meant {
  readonly type: TokenType;
  readonly text: string;
}

const OPERATORS: ReadonlyMap<string, Meant> = new Map([
  ["=", { type: Token.CompareSign, text: "==" }],
  ["===", { type: Token.CompareSign, text: "==" }],
  [":=", { type: Token.CompareSign, text: "==" }],
  ["!==", { type: Token.CompareSign, text: "!=" }],
  ["<>", { type: Token.CompareSign, text: "!=" }],
  ["≠", { type: Token.CompareSign, text: "!=" }],
  ["=<", { type: Token.CompareSign, text: "<=" }],
  ["≤", { type: Token.CompareSign, text: "<=" }],
  ["=>", { type: Token.CompareSign, text: ">=" }],
  ["≥", { type: Token.CompareSign, text: ">=" }],
  ["=~", { type: Token.TextOperator, text: "matches" }],
  ["|", { type: Token.Or, text: "or" }],
  ["^", { type: Token.Xor, text: "xor" }],
  ["–", { type: Token.Range, text: ".." }],
  ["…", { type: Token.Range, text: ".." }],
]);

const WORDS: ReadonlyMap<string, TokenType> = new Map([
  ["and", Token.And],
  ["or", Token.Or],
  ["xor", Token.Xor],
  ["not", Token.Not],
  ["in", Token.In],
  ["bitwise_and", Token.BitwiseAnd],
  ["contains", Token.TextOperator],
  ["matches", Token.TextOperator],
  ...["eq", "ne", "lt", "le", "gt", "ge"].map((word) => [word, Token.Compare] as const),
]);

/** The operator that is meant by an operator of other languages, or by one in capitals. */
export function meantBy({ tokenType, image }: IToken): Meant | undefined {
  if (tokenType === Token.ForeignOperator) {
    return OPERATORS.get(image) ?? { type: Token.Range, text: ".." };
  }
  const text = image.toLowerCase();
  const type = tokenType === Token.Field && text !== image ? WORDS.get(text) : undefined;
  return type && { type, text };
}

const QUOTE = 'text stands in double quotes: "tcp"';
const BRACES = "a set stands in braces: `{80 443}`; bits have names, or a mask: `tcp.flags & 0x02`";

const HINTS: ReadonlyMap<string, string> = new Map([
  ["'", QUOTE],
  ["`", QUOTE],
  ["“", QUOTE],
  ["”", QUOTE],
  ["$", `to use a list or a constant, interpolate it: \`ip.src in \${name}\``],
  ["-", "numbers here are never negative; a range is written `80..90`"],
  ["*", "for a part of the addresses write a prefix: `ip.src in {10.0.0.0/8}`"],
  ["/", "a prefix is one word without spaces: `10.0.0.0/8`; a comment starts with `#`"],
  [".", "a range has two dots: `80..90`"],
  [":", "a range is written `80..90`"],
  [";", "join conditions with `and` or `or`"],
  ["+", `compute the value outside and interpolate it: \`\${value}\``],
  ["?", "join conditions with `and` or `or`; to choose between values interpolate one"],
  ["\\", 'a backslash belongs only into texts: "\\x41"'],
  ["[", BRACES],
  ["]", BRACES],
]);

/** Reports what no word starts with; each kind once in an expression, because one stray bracket is one of two. */
export class Strangers {
  readonly #seen = new Set<string>();

  constructor(readonly problems: Problems) {}

  report(written: string, span: Span): void {
    this.problems.lose();
    // TG1006 has said so for the whole file.
    if (/^\p{Default_Ignorable_Code_Point}/u.test(written)) return;
    const hint = HINTS.get(written.startsWith('\\"') ? written : written.charAt(0)) ?? hintByCode(written);
    const kind = hint ?? written;
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    if (written.startsWith("\\")) {
      const without = 'quotes need no backslash: "tcp"';
      this.problems.fatal("TG1103", span, { escape: clip(written) }, { hint: hint ?? without });
    } else this.problems.fatal("TG1101", span, { character: visible(clip(written)) }, { hint });
  }
}

/** Letters of other scripts look like those of field names, and some characters look like nothing. */
function hintByCode(written: string): string | undefined {
  const first = String.fromCodePoint(written.codePointAt(0) ?? 0);
  if (/\p{L}/u.test(first)) return `this letter is ${codeOf(first)}; names have only the letters a to z`;
  return first === visible(first) ? undefined : "it cannot be seen; delete it";
}

function visible(written: string): string {
  return written.replace(/[\p{C}\p{Z}]/gu, codeOf);
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
