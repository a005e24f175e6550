import type { IToken } from "chevrotain";
import { isFunctionName } from "../../compiler/ir/functions.js";
import type { Filter } from "./ast.js";
import { openBrackets, opens, partners } from "./brackets.js";
import { unknown } from "./build.js";
import { reportStuck } from "./expected.js";
import { type Payload, tokenAt, tokenSpan } from "./lex.js";
import { parseTokens } from "./parser.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate } from "./template.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** More in one expression help nobody. */
const MAX_MISTAKES = 16;
/** Each mistake costs another reading; this many tokens are read in well under a second. */
const MAX_TOKENS_READ = 100_000;

/**
 * Reads tokens to their end, however many mistakes of grammar there are: each is reported, then the condition that
 * it is in gives way to one token that stands for "unread", and the rest is read again. What was read of an
 * attempt that got stuck is forgotten, so that nothing is reported twice.
 */
export function readTokens(tokens: readonly IToken[], template: FilterTemplate, problems: Problems): Filter {
  let left = tokens;
  let cost = 0;
  for (let mistakes = 0; mistakes < MAX_MISTAKES && cost <= MAX_TOKENS_READ; mistakes++) {
    cost += left.length;
    const draft = problems.draft();
    const parsed = parseTokens(left, draft);
    if ("filter" in parsed) {
      problems.keep(draft);
      return parsed.filter;
    }
    problems.lose();
    const region = regionAround(left, parsed.stuckAt);
    if (!isReported(left[parsed.stuckAt], left.slice(region.start, region.end + 1))) {
      reportStuck(left, parsed.stuckAt, template, problems);
    }
    left = repaired(left, parsed.stuckAt, region, problems);
  }
  return unknown(null, template.source.span(template.start, template.end));
}

/** Half-open, in tokens; empty where a condition is missing. */
interface Region {
  readonly start: number;
  readonly end: number;
}

/** The condition that the token at `index` has no place in, up to where the next one can begin. */
function regionAround(tokens: readonly IToken[], index: number): Region {
  return { start: startOfCondition(tokens, index), end: endOfCondition(tokens, index) };
}

function startOfCondition(tokens: readonly IToken[], index: number): number {
  const inner = openBrackets(tokens, index).at(-1);
  const openings = partners(tokens, index);
  let start = inner && inner.kind !== "group" ? inner.index : index;
  while (start > 0 && !startsCondition(tokens, start)) {
    start = openings.get(start - 1) ?? start - 1;
  }
  return start;
}

/** Whether a condition can start at `index`, as far as the token before it says. */
function startsCondition(tokens: readonly IToken[], index: number): boolean {
  const previous = tokens[index - 1];
  return isToken(previous, Token.And, Token.Or, Token.Xor, Token.Not) || opens(tokens, index - 1) === "group";
}

function endOfCondition(tokens: readonly IToken[], index: number): number {
  const open = openBrackets(tokens, index);
  const closed = endOfBracket(tokens, index, open.at(-1)?.kind);
  const inGroup = open.some(({ kind }) => kind === "group");
  let depth = 0;
  for (let end = closed; end < tokens.length; end++) {
    const token = tokens[end];
    if (isToken(token, Token.ParenOpen, Token.BraceOpen)) depth++;
    else if (isToken(token, Token.ParenClose, Token.BraceClose)) {
      if (depth > 0) depth--;
      else if (inGroup && isToken(token, Token.ParenClose)) return end;
    } else if (depth === 0 && isToken(token, Token.And, Token.Or, Token.Xor)) {
      if (!isBetween(tokens, index, end)) return end;
    }
  }
  return tokens.length;
}

/** `tcp.dstport between 80 and 90`: what would be another mistake explains this one. */
function isBetween(tokens: readonly IToken[], start: number, and: number): boolean {
  const [word, low, joiner, high] = tokens.slice(start, and + 2);
  const values = [Token.Literal, Token.ScalarHole];
  return (
    word?.image === "between" &&
    isToken(low, ...values) &&
    isToken(joiner, Token.And) &&
    isToken(high, ...values)
  );
}

/** Behind the end of the set or the arguments that `index` is in; `index` where that end seems forgotten. */
function endOfBracket(tokens: readonly IToken[], index: number, kind: string | undefined): number {
  if (kind !== "set" && kind !== "call") return index;
  const [opening, closing] =
    kind === "set" ? [Token.BraceOpen, Token.BraceClose] : [Token.ParenOpen, Token.ParenClose];
  const next = tokens.findIndex((token, at) => at >= index && isToken(token, opening, closing));
  return isToken(tokens[next], closing) ? next + 1 : index;
}

/** Characters without a meaning and values that could not be read were reported, and explain all around them. */
function isReported(found: IToken | undefined, around: readonly IToken[]): boolean {
  const payload = found?.payload as Payload | undefined;
  if (payload?.kind === "reported") return true;
  return around.some((token) => isToken(token, Token.Unexpected) || token.tokenType === Token.UnknownHole);
}

/** The tokens without the mistake at `index`: reading them gets further than before. */
function repaired(
  tokens: readonly IToken[],
  index: number,
  { start, end }: Region,
  problems: Problems,
): readonly IToken[] {
  const found = tokens[index];
  if (!found) {
    const groups = openBrackets(tokens, index).filter(({ kind }) => kind === "group");
    const closers = groups.map(() => tokenAt(Token.ParenClose, ")", startOf(tokens, index)));
    const ended = isToken(tokens[index - 1], Token.Field) || isEnd(tokens[index - 1]);
    const complete = ended && !isInside(tokens, index);
    const kept = complete ? tokens : [...tokens.slice(0, start), unread(tokens, { start, end }, problems)];
    return [...kept, ...closers];
  }
  // Behind a field a name is more likely a wrong operator.
  if (isBeginning(found) && isEnd(tokens[index - 1]) && !isInside(tokens, index)) {
    return [...tokens.slice(0, index), tokenAt(Token.And, "and", found.startOffset), ...tokens.slice(index)];
  }
  return [...tokens.slice(0, start), unread(tokens, { start, end }, problems), ...tokens.slice(end)];
}

function isInside(tokens: readonly IToken[], index: number): boolean {
  const kind = openBrackets(tokens, index).at(-1)?.kind;
  return kind === "set" || kind === "call";
}

function isBeginning(token: IToken): boolean {
  return isToken(token, Token.Field, Token.Not, Token.ParenOpen) || token.tokenType === Token.FilterHole;
}

/** Whether a condition can end with the token. */
function isEnd(token: IToken | undefined): boolean {
  return isToken(
    token,
    ...[Token.Literal, Token.Text, Token.ScalarHole, Token.ArrayHole, Token.ListHole, Token.FilterHole],
    ...[Token.BraceClose, Token.ParenClose],
  );
}

/** One token for all of a region. */
function unread(tokens: readonly IToken[], { start, end }: Region, problems: Problems): IToken {
  const [first, last] = [tokens[start], tokens[Math.max(start, end - 1)]];
  const from = startOf(tokens, start);
  const to = start < end && last ? (last.endOffset ?? last.startOffset) + 1 : from;
  const token = tokenAt(Token.Unread, problems.source.text.slice(from, to), from);
  const subject = first && start < end ? subjectOf(tokens.slice(start, end), problems) : null;
  return { ...token, payload: { kind: "unread", subject } satisfies Payload };
}

/** The field in front, unless what follows makes another word of it. */
function subjectOf(
  [name, next]: readonly IToken[],
  problems: Problems,
): Extract<Payload, { kind: "unread" }>["subject"] {
  if (!name || name.tokenType !== Token.Field || isFunctionName(name.image)) return null;
  if (isToken(next, Token.ParenOpen, Token.Unexpected)) return null;
  return { name: name.image, args: null, span: tokenSpan(name, problems) };
}

/** Where a token starts, or where the last one ends. */
function startOf(tokens: readonly IToken[], index: number): number {
  const last = tokens.at(-1);
  return tokens[index]?.startOffset ?? (last ? (last.endOffset ?? last.startOffset) + 1 : 0);
}
