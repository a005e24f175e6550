import type { IToken } from "chevrotain";
import { OPERATORS } from "../../compiler/ir/value.js";
import type { Lexed } from "./lex.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** The tokens of an expression as they are to be written, with the comments around them. */

export interface Word {
  readonly token: IToken;
  readonly text: string;
  /** A blank stands between it and the word in front, where both are on one line. */
  readonly spaced: boolean;
  /** Comments on lines of their own in front of it. */
  readonly before: readonly string[];
  /** The comment that ends its line; "" for none. */
  readonly after: string;
}

export interface Words {
  readonly words: readonly Word[];
  /** Comments behind the last word, on lines of their own. */
  readonly trailing: readonly string[];
}

/** Gives each comment to the word in front of it on its line, or else to the word behind it. */
export function wordsOf({ tokens, comments }: Lexed, source: string): Words {
  let next = 0;
  const take = (until: number, sameLineAs?: number): string[] => {
    const taken: string[] = [];
    for (let comment = comments[next]; comment && comment.startOffset < until; comment = comments[next]) {
      const start = comment.startOffset;
      if (sameLineAs !== undefined && /[\r\n]/.test(source.slice(sameLineAs, start))) break;
      taken.push(source.slice(start, start + comment.image.length).trimEnd());
      next++;
    }
    return taken;
  };
  const words = tokens.map((token, index): Word => {
    const before = take(token.startOffset);
    const end = (token.endOffset ?? token.startOffset) + 1;
    const [after = ""] = take(tokens[index + 1]?.startOffset ?? Number.POSITIVE_INFINITY, end);
    return { token, text: spelling(token), spaced: isSpaced(tokens, index), before, after };
  });
  return { words, trailing: take(Number.POSITIVE_INFINITY) };
}

const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(OPERATORS),
  ...(["and", "or", "xor"] as const).flatMap((word, index) => [
    [["&&", "||", "^^"][index] ?? word, word] as const,
  ]),
  ["!", "not"],
  ["bitwise_and", "&"],
  ["~", "matches"],
]);

function spelling(token: IToken): string {
  const isOperator = isToken(
    token,
    ...[Token.And, Token.Or, Token.Xor, Token.Not, Token.Compare, Token.BitwiseAnd, Token.TextOperator],
  );
  return (isOperator && SPELLINGS.get(token.image)) || token.image;
}

function isSpaced(tokens: readonly IToken[], index: number): boolean {
  const [previous, token] = [tokens[index - 1], tokens[index]];
  if (!previous || isToken(previous, Token.ParenOpen, Token.BraceOpen, Token.Range)) return false;
  if (isToken(token, Token.ParenClose, Token.BraceClose, Token.Range, Token.Comma)) return false;
  return !(isToken(token, Token.ParenOpen) && isToken(previous, Token.Field));
}

/** Words on one line; undefined if a comment stands between them. */
export function flatText(words: readonly Word[]): string | undefined {
  const inside = words.some(
    ({ before, after }, index) =>
      (index > 0 && before.length > 0) || (index < words.length - 1 && after !== ""),
  );
  if (inside) return undefined;
  return words.map(({ text, spaced }, index) => (index > 0 && spaced ? ` ${text}` : text)).join("");
}
