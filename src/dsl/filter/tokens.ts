import { createToken, type IToken, Lexer, type TokenType } from "chevrotain";

/**
 * The words of the expression language. Numbers, addresses and prefixes are one token, `Literal`, that
 * literal.ts reads: so `10.0.0.256` is one bad address and not four good numbers and dots.
 */

/** What stands in the lexed text for an interpolation: one START, then FILL up to its length. */
export const HOLE_START = "\uE000";
export const HOLE_FILL = "\uE001";

const Space = createToken({ name: "Space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
/** Kept beside the tokens, for the formatter. */
const Comment = createToken({ name: "Comment", pattern: /#[^\n\r]*/, group: "comments" });

export const Field = createToken({
  name: "Field",
  pattern: /[A-Za-z_](?:[A-Za-z0-9_-]|\.(?!\.))*/,
});

/** Everything that starts with a digit, or holds a colon as IPv6 does; `..` ends it. */
export const Literal = createToken({
  name: "Literal",
  pattern: /-?(?:\d|[A-Za-z0-9]*:)(?:[A-Za-z0-9_:%-]|\.(?!\.))*(?:\/(?:[A-Za-z0-9_:]|\.(?!\.))*)?/,
  start_chars_hint: [..."-0123456789:", ..."abcdefghijklmnopqrstuvwxyz", ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
});

function word(name: string, pattern: RegExp, categories: readonly TokenType[] = []): TokenType {
  return createToken({ name, pattern, longer_alt: [Literal, Field], categories: [...categories] });
}

export const And = word("And", /and/);
export const Or = word("Or", /or/);
export const Xor = word("Xor", /xor/);
export const Not = word("Not", /not/);
export const In = word("In", /in/);
export const BitwiseAnd = word("BitwiseAnd", /bitwise_and/);
export const Compare = word("Compare", /eq|ne|lt|le|gt|ge/);
export const TextOperator = word("TextOperator", /contains|matches/);
/** The operators of the Rules language that Tidegate has no use for. */
export const Wildcard = word("Wildcard", /(?:strict[ \t]+)?wildcard/, [TextOperator]);

export const CompareSign = createToken({ name: "CompareSign", pattern: /[=!<>]=|[<>]/, categories: Compare });
export const AndSign = createToken({ name: "AndSign", pattern: "&&", categories: And });
export const OrSign = createToken({ name: "OrSign", pattern: "||", categories: Or });
export const XorSign = createToken({ name: "XorSign", pattern: "^^", categories: Xor });
export const NotSign = createToken({ name: "NotSign", pattern: "!", categories: Not });
const BitwiseAndSign = createToken({ name: "BitwiseAndSign", pattern: "&", categories: BitwiseAnd });
const MatchesSign = createToken({ name: "MatchesSign", pattern: "~", categories: TextOperator });

export const ParenOpen = createToken({ name: "ParenOpen", pattern: "(" });
export const ParenClose = createToken({ name: "ParenClose", pattern: ")" });
export const BraceOpen = createToken({ name: "BraceOpen", pattern: "{" });
export const BraceClose = createToken({ name: "BraceClose", pattern: "}" });
export const Range = createToken({ name: "Range", pattern: ".." });
export const Comma = createToken({ name: "Comma", pattern: "," });
export const Text = createToken({ name: "Text", pattern: /"(?:\\.|[^"\\\r\n])*"/ });
export const RawText = createToken({
  name: "RawText",
  pattern: /r(#*)"[\s\S]*?"\1/,
  start_chars_hint: ["r"],
  line_breaks: true,
  categories: Text,
});

/** Words that are not of the language; lex.ts reports each and goes on with what was meant, if that is plain. */
export const OpenText = createToken({ name: "OpenText", pattern: /"[^"\r\n]*/ });
export const ForeignText = createToken({
  name: "ForeignText",
  pattern: /'[^'\r\n]*'|[“”„][^“”"\r\n]*[“”"]|\\"[^"\r\n]*"/,
  start_chars_hint: ["'", "\\", "“", "”", "„"],
});
export const ForeignOperator = createToken({
  name: "ForeignOperator",
  pattern: /===|!==|=~|<>|=<|=>|:=|=(?!=)|\|(?!\|)|\^(?!\^)|≠|≤|≥|–|…|\.{3,}/,
  start_chars_hint: [..."=!<:|^.", "≠", "≤", "≥", "–", "…"],
});
/** `$name`: how the Rules language names a list. */
export const ListName = createToken({ name: "ListName", pattern: /[$@][A-Za-z_][\w.-]*/ });
/** A character that no word starts with. */
export const Unexpected = createToken({ name: "Unexpected", pattern: Lexer.NA });

export const Hole = createToken({ name: "Hole", pattern: /\uE000\uE001*/ });

/** An interpolation is a token of the kind of its value; one whose value is unknown fits everywhere. */
export const ScalarHole = createToken({ name: "ScalarHole", pattern: Lexer.NA });
export const ArrayHole = createToken({ name: "ArrayHole", pattern: Lexer.NA });
export const ListHole = createToken({ name: "ListHole", pattern: Lexer.NA });
export const FilterHole = createToken({ name: "FilterHole", pattern: Lexer.NA });
export const UnknownHole = createToken({
  name: "UnknownHole",
  pattern: Lexer.NA,
  categories: [ScalarHole, ArrayHole, ListHole, FilterHole],
});
/** Stands for a part of the expression that was reported and cannot be read. */
export const Unread = createToken({ name: "Unread", pattern: Lexer.NA, categories: FilterHole });

/** In the order in which the lexer tries them. */
const LEXED = [
  ...[Space, Comment, RawText],
  ...[And, Or, Xor, Not, In, TextOperator, Wildcard, BitwiseAnd, Compare],
  ...[ForeignOperator, Literal, Field, Text, OpenText, ForeignText, ListName, Hole],
  ...[CompareSign, AndSign, OrSign, XorSign, NotSign, BitwiseAndSign, MatchesSign],
  ...[ParenOpen, ParenClose, BraceOpen, BraceClose, Range, Comma],
];

export const VOCABULARY = [
  ...LEXED,
  ScalarHole,
  ArrayHole,
  ListHole,
  FilterHole,
  UnknownHole,
  Unread,
  Unexpected,
];

export const LEXER = new Lexer(LEXED, { positionTracking: "onlyOffset", ensureOptimizations: true });

/** Whether the token is of one of the types, in either spelling. */
export function isToken(token: IToken | undefined, ...types: readonly TokenType[]): boolean {
  if (!token) return false;
  const { tokenType } = token;
  return types.some((type) => tokenType === type || tokenType.CATEGORIES?.includes(type) === true);
}
