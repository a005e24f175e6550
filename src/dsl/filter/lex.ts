import { createTokenInstance, type IToken, type TokenType } from "chevrotain";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Operand } from "./ast.js";
import { readLiteral } from "./literal.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate, Hole, Interpolated } from "./template.js";
import * as Token from "./tokens.js";

const HOLE_TOKENS: { readonly [K in Interpolated["kind"]]: TokenType } = {
  scalar: Token.ScalarHole,
  array: Token.ArrayHole,
  list: Token.ListHole,
  filter: Token.FilterHole,
  unknown: Token.UnknownHole,
};

/** What a token stands for; only tokens of literals, strings and interpolations have one. */
export type Payload =
  | { readonly kind: "operand"; readonly operand: Operand }
  | { readonly kind: "hole"; readonly value: Interpolated };

/**
 * Splits a template into tokens whose offsets are those of the source file, or undefined when a character
 * has no meaning. Each interpolation is blotted out before lexing and is one token afterwards, so that its
 * text is never read and comments may hold one.
 */
export function lex(template: FilterTemplate, problems: Problems): readonly IToken[] | undefined {
  const { tokens } = Token.LEXER.tokenize(blotted(template));
  const holes = new Map(template.holes.map((hole) => [hole.start, hole]));
  let readable = true;
  const read = tokens.map((token): IToken => {
    token.startOffset += template.start;
    token.endOffset = token.startOffset + token.image.length - 1;
    const span = tokenSpan(token, problems);
    switch (token.tokenType) {
      case Token.Literal:
        token.payload = operandPayload(readLiteral(token.image, span, problems.diagnostics), span, problems);
        return token;
      case Token.Text:
        token.payload = operandPayload(readQuoted(token, span, problems), span, problems);
        return token;
      case Token.OpenText:
      case Token.Unexpected:
        readable = false;
        reportUnexpected(token, span, problems);
        return token;
      case Token.Hole: {
        const hole = holes.get(token.startOffset);
        if (hole && hole.end - hole.start === token.image.length) return holeToken(hole, problems);
        // The author's text holds the very character that we mark interpolations with.
        readable = false;
        problems.fatal("TG1101", span, { character: token.image });
        return token;
      }
      default:
        return token;
    }
  });
  return readable ? read : undefined;
}

export function tokenSpan(token: IToken, { source }: Problems): Span {
  return source.span(token.startOffset, (token.endOffset ?? token.startOffset) + 1);
}

/** The template's text with the same length, interpolations replaced by one mark each. */
function blotted({ source, start, end, holes }: FilterTemplate): string {
  let text = "";
  let from = start;
  for (const hole of holes) {
    text += source.text.slice(from, hole.start);
    text += Token.HOLE_START + Token.HOLE_FILL.repeat(hole.end - hole.start - 1);
    from = hole.end;
  }
  return text + source.text.slice(from, end);
}

function operandPayload(operand: Operand | undefined, span: Span, problems: Problems): Payload {
  if (!operand) problems.lose();
  return { kind: "operand", operand: operand ?? { kind: "string", value: "", span } };
}

function readQuoted(token: IToken, span: Span, problems: Problems): Operand | undefined {
  if (token.image.includes(Token.HOLE_START)) {
    const written = problems.source.text.slice(span.start, span.end);
    const hint = "an interpolated value is not text inside quotes; leave out the quotes";
    problems.fatal("TG1101", span, { character: written }, { hint });
    return undefined;
  }
  if (token.image.includes("\\")) {
    const at = span.start + token.image.indexOf("\\");
    problems.fatal("TG1103", problems.source.span(at, at + 1), {});
    return undefined;
  }
  return { kind: "string", value: token.image.slice(1, -1), span };
}

function holeToken(hole: Hole, problems: Problems): IToken {
  if (hole.value.kind === "unknown") problems.lose();
  const made = createTokenInstance(
    HOLE_TOKENS[hole.value.kind],
    problems.source.text.slice(hole.start, hole.end),
    hole.start,
    hole.end - 1,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  );
  made.payload = { kind: "hole", value: hole.value } satisfies Payload;
  return made;
}

const INTERPOLATE = `to use a list or a constant, interpolate it: \`ip.src in \${name}\``;

const CHARACTER_HINTS: Readonly<Record<string, string>> = {
  "=": "to compare, write `==`",
  "|": "write `or` (or `||`)",
  "^": "write `xor` (or `^^`)",
  "~": "patterns are not supported yet",
  "'": 'text stands in double quotes: "tcp"',
  "`": 'text stands in double quotes: "tcp"',
  ",": "separate the items of a set with spaces: `{80 443}`",
  ";": "separate the items of a set with spaces: `{80 443}`",
  $: INTERPOLATE,
  "@": INTERPOLATE,
  "-": "numbers here are never negative; a range is written `80..90`",
  "*": "for a part of the addresses write a prefix: `ip.src in {10.0.0.0/8}`",
  "/": "a prefix is one word without spaces: `10.0.0.0/8`",
  "[": "a set stands in braces: `{80 443}`",
  "]": "a set stands in braces: `{80 443}`",
};

function reportUnexpected(token: IToken, span: Span, problems: Problems): void {
  if (token.tokenType === Token.OpenText) problems.fatal("TG1102", span, {});
  else if (token.image === "\\") problems.fatal("TG1103", span, {});
  else problems.fatal("TG1101", span, { character: token.image }, { hint: CHARACTER_HINTS[token.image] });
}
