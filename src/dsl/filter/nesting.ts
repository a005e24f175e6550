import type { IToken } from "chevrotain";
import type { Filter } from "./ast.js";
import { Field, isToken, Not, ParenClose, ParenOpen } from "./tokens.js";

/** As deep as other engines of the Rules language go; later stages recurse over trees and rely on it. */
export const MAX_NESTING = 128;

/** The first token that nests too deeply, found before the parser recurses over it. */
export function tooDeep(tokens: readonly IToken[]): IToken | undefined {
  const outer: number[] = [];
  let depth = 0;
  let pendingNots = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.tokenType === ParenOpen) {
      // The arguments of a function are no level of their own.
      const levels = isToken(tokens[index - 1], Field) ? 0 : pendingNots + 1;
      outer.push(levels);
      depth += levels;
      pendingNots = 0;
    } else if (token.tokenType === ParenClose) {
      depth -= outer.pop() ?? 0;
      pendingNots = 0;
    } else if (isToken(token, Not)) pendingNots++;
    else pendingNots = 0;
    if (depth + pendingNots > MAX_NESTING) return token;
  }
  return undefined;
}

export interface FilterSize {
  /** Levels of the tree, one for a single condition. */
  readonly depth: number;
  /** Nodes and values, each occurrence of a shared part counted. */
  readonly nodes: number;
}

const SIZES = new WeakMap<Filter, FilterSize>();

/** Measures each shared part once: interpolated expressions make trees whose parts are shared many times. */
export function sizeOf(filter: Filter): FilterSize {
  const known = SIZES.get(filter);
  if (known) return known;
  const parts = partsOf(filter).map(sizeOf);
  const size = {
    depth: 1 + parts.reduce((most, part) => Math.max(most, part.depth), 0),
    nodes: 1 + parts.reduce((sum, part) => sum + part.nodes, filter.kind === "in" ? filter.items.length : 0),
  };
  SIZES.set(filter, size);
  return size;
}

function partsOf(filter: Filter): readonly Filter[] {
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor":
      return filter.operands;
    case "not":
      return [filter.operand];
    default:
      return [];
  }
}
