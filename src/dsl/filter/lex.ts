import { createTokenInstance, type IToken, type TokenType } from "chevrotain";
import { clip } from "../../compiler/diagnostics/clip.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { FieldRef, Operand } from "./ast.js";
import { meantBy, Strangers } from "./foreign.js";
import { readLiteral } from "./literal.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate, Hole, Interpolated } from "./template.js";
import { unquote } from "./text.js";
import * as Token from "./tokens.js";

const HOLE_TOKENS: { readonly [K in Interpolated["kind"]]: TokenType } = {
  scalar: Token.ScalarHole,
  array: Token.ArrayHole,
  list: Token.ListHole,
  filter: Token.FilterHole,
  unknown: Token.UnknownHole,
};

/** What a token stands for; only tokens that are not fully said by their text have one. */
export type Payload =
  | { readonly kind: "operand"; readonly operand: Operand }
  | { readonly kind: "hole"; readonly value: Interpolated }
  /** An operator of other languages, which is read as ours. */
  | { readonly kind: "reported" }
  | { readonly kind: "unread"; readonly subject: FieldRef | null };

/** Offsets are those of the source file. */
export interface Lexed {
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
}

/**
 * Splits a template into tokens. Each interpolation is blotted out before lexing and is one token afterwards, so
 * that its text is never read and comments may hold one. What is no word of the language is reported; it becomes
 * the word that is meant, or a token that has no place in the grammar.
 */
export function lex(template: FilterTemplate, problems: Problems): Lexed {
  const text = blotted(template);
  const { tokens, errors, groups } = Token.LEXER.tokenize(text);
  const strange = errors.map(({ offset, length }) =>
    tokenAt(Token.Unexpected, text.slice(offset, offset + length), offset),
  );
  const reader = new TokenReader(template, problems);
  const all = strange.length === 0 ? tokens : inOrder([...tokens, ...strange]);
  return {
    tokens: all.map((token) => reader.read(moved(token, template.start))),
    comments: (groups["comments"] ?? []).map((token) => moved(token, template.start)),
  };
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

function inOrder(tokens: readonly IToken[]): readonly IToken[] {
  return [...tokens].sort((a, b) => a.startOffset - b.startOffset);
}

/** Offsets of the lexer are those of the template, and it does not say where tokens end. */
function moved(token: IToken, by: number): IToken {
  token.startOffset += by;
  token.endOffset = token.startOffset + token.image.length - 1;
  return token;
}

/** A token whose end follows from its text. */
export function tokenAt(type: TokenType, image: string, start: number): IToken {
  return createTokenInstance(
    type,
    image,
    start,
    start + image.length - 1,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  );
}

export function tokenSpan(token: IToken, { source }: Problems): Span {
  return source.span(token.startOffset, (token.endOffset ?? token.startOffset) + 1);
}

/** Gives tokens what they stand for. */
class TokenReader {
  readonly #holes: ReadonlyMap<number, Hole>;
  readonly #strangers: Strangers;

  constructor(
    template: FilterTemplate,
    readonly problems: Problems,
  ) {
    this.#holes = new Map(template.holes.map((hole) => [hole.start, hole]));
    this.#strangers = new Strangers(problems);
  }

  read(token: IToken): IToken {
    const span = tokenSpan(token, this.problems);
    switch (token.tokenType) {
      case Token.Literal:
        return this.#valued(token, readLiteral(token.image, span, this.problems));
      case Token.Text:
      case Token.RawText:
        return this.#valued(token, this.#text(token, span));
      case Token.OpenText:
        this.problems.fatal("TG1102", span, {});
        return this.#valued(tokenAt(Token.Text, token.image, token.startOffset), undefined);
      case Token.ForeignText:
        this.#strangers.report(token.image, span);
        return this.#valued(tokenAt(Token.Text, token.image, token.startOffset), undefined);
      case Token.ListName: {
        const name = clip(token.image.slice(1));
        const hint = `make it a constant and interpolate it: \`const ${name} = list([…])\`, then \`in \${${name}}\``;
        this.problems.fatal("TG1108", span, { list: clip(token.image) }, { hint });
        return holeToken(Token.UnknownHole, token, { kind: "unknown" });
      }
      case Token.Unexpected:
        this.#strangers.report(token.image, span);
        return token;
      case Token.Hole:
        return this.#interpolated(token, span);
      default:
        return this.#meant(token, span);
    }
  }

  #valued(token: IToken, operand: Operand | undefined): IToken {
    const read = operand ?? this.problems.lostOperand(tokenSpan(token, this.problems));
    token.payload = { kind: "operand", operand: read } satisfies Payload;
    return token;
  }

  #text(token: IToken, span: Span): Operand | undefined {
    if (token.image.includes(Token.HOLE_START)) {
      const character = clip(this.problems.source.text.slice(span.start, span.end));
      const hint = "an interpolated value is not text inside quotes; leave out the quotes";
      this.problems.fatal("TG1101", span, { character }, { hint });
      return undefined;
    }
    const value = unquote(token.image, span.start, this.problems);
    return value === undefined ? undefined : { kind: "string", value, span };
  }

  #interpolated(token: IToken, span: Span): IToken {
    const hole = this.#holes.get(token.startOffset);
    if (!hole || hole.end - hole.start !== token.image.length) {
      // The author's text holds the very character that we mark interpolations with.
      this.#strangers.report(token.image, span);
      return tokenAt(Token.Unexpected, token.image, token.startOffset);
    }
    if (hole.value.kind === "unknown") this.problems.lose();
    const image = this.problems.source.text.slice(hole.start, hole.end);
    return holeToken(HOLE_TOKENS[hole.value.kind], { ...token, image }, hole.value);
  }

  /** An operator as other languages spell it is read as ours, once it is reported. */
  #meant(token: IToken, span: Span): IToken {
    const meant = meantBy(token);
    if (!meant) return token;
    const hint = `write \`${meant.text}\``;
    this.problems.repaired("TG1101", span, { character: token.image }, { hint });
    const read = tokenAt(meant.type, meant.text, token.startOffset);
    read.endOffset = span.end - 1;
    read.payload = { kind: "reported" } satisfies Payload;
    return read;
  }
}

function holeToken(type: TokenType, { image, startOffset }: IToken, value: Interpolated): IToken {
  const token = tokenAt(type, image, startOffset);
  token.payload = { kind: "hole", value } satisfies Payload;
  return token;
}
