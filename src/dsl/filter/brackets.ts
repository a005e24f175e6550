import type { IToken } from "chevrotain";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** `(a or b)`, the `{…}` of a set, and the `(…)` behind the name of a function. */
export type BracketKind = "group" | "set" | "call";

export interface Bracket {
  readonly kind: BracketKind;
  /** Index of the opening token. */
  readonly index: number;
}

/** The brackets that are open before the token at `index`, the innermost last. */
export function openBrackets(tokens: readonly IToken[], index: number): readonly Bracket[] {
  const open: Bracket[] = [];
  for (let at = 0; at < index; at++) {
    const kind = opens(tokens, at);
    if (kind) open.push({ kind, index: at });
    else if (isToken(tokens[at], Token.ParenClose, Token.BraceClose)) open.pop();
  }
  return open;
}

/** What kind of bracket the token at `index` opens, if it opens one. */
export function opens(tokens: readonly IToken[], index: number): BracketKind | undefined {
  const token = tokens[index];
  if (isToken(token, Token.BraceOpen)) return "set";
  if (!isToken(token, Token.ParenOpen)) return undefined;
  return isToken(tokens[index - 1], Token.Field) ? "call" : "group";
}

/** For each closing bracket before `index` the index of the one that it closes. */
export function partners(tokens: readonly IToken[], index: number): ReadonlyMap<number, number> {
  const open: number[] = [];
  const found = new Map<number, number>();
  for (let at = 0; at < index; at++) {
    if (opens(tokens, at)) open.push(at);
    else if (isToken(tokens[at], Token.ParenClose, Token.BraceClose)) found.set(at, open.pop() ?? at);
  }
  return found;
}
