import { createTokenInstance, type IToken, type TokenType } from "chevrotain";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Operand } from "./ast.js";
import { readLiteral } from "./literal.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate, Hole, Interpolated } from "./template.js";
import * as Token from "./tokens.js";
import { reportUnexpected } from "./unexpected.js";

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
  const text = blotted(template);
  const { tokens, errors } = Token.LEXER.tokenize(text);
  reportUnexpected(errors, text, template.start, problems);
  const holes = new Map(template.holes.map((hole) => [hole.start, hole]));
  const read = tokens.map((token) => {
    token.startOffset += template.start;
    token.endOffset = token.startOffset + token.image.length - 1;
    return readToken(token, holes, problems);
  });
  return errors.length > 0 || read.includes(undefined) ? undefined : read.filter((one) => one !== undefined);
}

/** The token with what it stands for, or undefined when it makes the rest unreadable. */
function readToken(token: IToken, holes: ReadonlyMap<number, Hole>, problems: Problems): IToken | undefined {
  const span = tokenSpan(token, problems);
  switch (token.tokenType) {
    case Token.Literal:
      token.payload = operandPayload(readLiteral(token.image, span, problems.diagnostics), span, problems);
      return token;
    case Token.Text:
      token.payload = operandPayload(readQuoted(token, span, problems), span, problems);
      return token;
    case Token.OpenText:
      problems.fatal("TG1102", span, {});
      return undefined;
    case Token.Hole: {
      const hole = holes.get(token.startOffset);
      if (hole && hole.end - hole.start === token.image.length) return holeToken(hole, problems);
      // The author's text holds the very character that we mark interpolations with.
      problems.fatal("TG1101", span, { character: token.image });
      return undefined;
    }
    default:
      return token;
  }
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
  return { kind: "operand", operand: operand ?? problems.lostOperand(span) };
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
