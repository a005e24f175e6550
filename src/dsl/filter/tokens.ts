import { createToken, type IToken, Lexer, type TokenType } from "chevrotain";

/**
 * The words of the expression language. Numbers, addresses and prefixes are one token, `Literal`, that
 * literal.ts reads: so `10.0.0.256` is one bad address and not four good numbers and dots.
 */

/** What stands in the lexed text for an interpolation: one START, then FILL up to its length. */
export const HOLE_START = "\uE000";
export const HOLE_FILL = "\uE001";

const SKIPPED = [
  createToken({ name: "Space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true }),
  createToken({ name: "Comment", pattern: /#[^\n\r]*/, group: Lexer.SKIPPED }),
];

export const Field = createToken({
  name: "Field",
  pattern: /[A-Za-z_](?:[A-Za-z0-9_-]|\.(?!\.))*/,
});

/** Everything that starts with a digit, or holds a colon as IPv6 does; `..` ends it. */
export const Literal = createToken({
  name: "Literal",
  pattern: /(?:\d|[A-Za-z0-9]*:)(?:[A-Za-z0-9_:%]|\.(?!\.))*(?:\/(?:[A-Za-z0-9_:]|\.(?!\.))*)?/,
  start_chars_hint: [..."0123456789:", ..."abcdefghijklmnopqrstuvwxyz", ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
});

function word(name: string, pattern: RegExp): TokenType {
  return createToken({ name, pattern, longer_alt: [Literal, Field] });
}

export const And = word("And", /and/);
export const Or = word("Or", /or/);
export const Xor = word("Xor", /xor/);
export const Not = word("Not", /not/);
export const In = word("In", /in/);
/** Operators of the Rules language that no field of ours has yet. */
export const PlannedOperator = word("PlannedOperator", /contains|matches|wildcard/);
export const BitwiseAnd = word("BitwiseAnd", /bitwise_and/);
export const Compare = word("Compare", /eq|ne|lt|le|gt|ge/);

export const CompareSign = createToken({ name: "CompareSign", pattern: /[=!<>]=|[<>]/, categories: Compare });
const AndSign = createToken({ name: "AndSign", pattern: "&&", categories: And });
const OrSign = createToken({ name: "OrSign", pattern: "||", categories: Or });
const XorSign = createToken({ name: "XorSign", pattern: "^^", categories: Xor });
const NotSign = createToken({ name: "NotSign", pattern: "!", categories: Not });
const BitwiseAndSign = createToken({ name: "BitwiseAndSign", pattern: "&", categories: BitwiseAnd });

export const ParenOpen = createToken({ name: "ParenOpen", pattern: "(" });
export const ParenClose = createToken({ name: "ParenClose", pattern: ")" });
export const BraceOpen = createToken({ name: "BraceOpen", pattern: "{" });
export const BraceClose = createToken({ name: "BraceClose", pattern: "}" });
export const Range = createToken({ name: "Range", pattern: ".." });
/** Has no place in the grammar yet; a word of its own, so that `f(a, b)` is refused for the `f`. */
export const Comma = createToken({ name: "Comma", pattern: "," });
export const Text = createToken({ name: "Text", pattern: /"[^"\r\n]*"/ });
export const OpenText = createToken({ name: "OpenText", pattern: /"[^"\r\n]*/ });

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

/** In the order in which the lexer tries them. */
const LEXED = [
  ...SKIPPED,
  ...[And, Or, Xor, Not, In, PlannedOperator, BitwiseAnd, Compare],
  ...[Literal, Field, Text, OpenText, Hole],
  ...[CompareSign, AndSign, OrSign, XorSign, NotSign, BitwiseAndSign],
  ...[ParenOpen, ParenClose, BraceOpen, BraceClose, Range, Comma],
];

export const VOCABULARY = [...LEXED, ScalarHole, ArrayHole, ListHole, FilterHole, UnknownHole];

export const LEXER = new Lexer(LEXED, { positionTracking: "onlyOffset" });

/** Whether the token is of one of the types, in either spelling. */
export function isToken(token: IToken | undefined, ...types: readonly TokenType[]): boolean {
  if (!token) return false;
  const { tokenType } = token;
  return types.some((type) => tokenType === type || tokenType.CATEGORIES?.includes(type) === true);
}
