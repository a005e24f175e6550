import type { IToken } from "chevrotain";
import { clip } from "../../compiler/diagnostics/clip.js";
import type { Place } from "./expected.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** What to write instead, for the mistakes that are made again and again. */
interface Habit {
  readonly applies: (found: IToken, place: Place) => boolean;
  readonly hint: (found: string, place: Place) => string;
}

const VALUES = [Token.Literal, Token.Text, Token.ScalarHole];

const JOIN = "join two conditions with `and` or `or`";

/** The first that applies is given, so the more special ones stand first. */
const HABITS: readonly Habit[] = [
  {
    applies: (found, { previous }) => isToken(found, Token.Field) && isToken(previous, Token.Compare),
    hint: hintNameAsValue,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.In) && isToken(found, ...VALUES),
    hint: (found) => `write \`in {${found}}\``,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.In) && isToken(found, Token.Field),
    hint: (found) => `a list is a constant of the policy, interpolated: \`in \${${found}}\``,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.In) && isToken(found, Token.ParenOpen),
    hint: () => "a set stands in braces: `{80 443}`",
  },
  {
    applies: (found, { previous }) =>
      isToken(previous, Token.Compare) && isToken(found, Token.ArrayHole, Token.ListHole),
    hint: (found) => `write \`in ${found}\``,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.Compare) && isToken(found, Token.BraceOpen),
    hint: () => "a set is asked with `in`, not compared",
  },
  {
    applies: (found, { open }) => open?.kind === "set" && isToken(found, Token.ListHole),
    hint: (found) => `a list is no member of a set: write \`in ${found}\`, and join with \`or\``,
  },
  {
    applies: (found, { open }) => open?.kind === "set" && isToken(found, Token.Field),
    hint: (found) => `text stands in double quotes: "${found}"; a constant is written \`\${${found}}\``,
  },
  {
    applies: (found, { open }) => open?.kind === "set" && isToken(found, Token.And, Token.Or),
    hint: (found, place) =>
      closesSet(place)
        ? "the items of a set are separated by spaces: `{80 443}`"
        : `close the set before \`${found}\``,
  },
  {
    applies: (found, { previous, tokens, index }) =>
      isToken(previous, Token.Field) && isToken(found, Token.Not) && isToken(tokens[index + 1], Token.In),
    hint: (_found, { previous }) => `write \`not ${clip(previous?.image ?? "")} in {…}\``,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.Field) && WORDS.has(found.image.toLowerCase()),
    hint: (found) => `write \`${WORDS.get(found.toLowerCase())}\``,
  },
  {
    applies: (found, { previous }) =>
      isToken(previous, Token.And, Token.Or, Token.Xor) && isToken(found, ...VALUES),
    hint: hintSecondValue,
  },
  {
    applies: (found, { previous }) => isToken(previous, Token.BitwiseAnd) && isToken(found, Token.Field),
    hint: () => "`&` is for the bits of a number; conditions are joined with `and`",
  },
  {
    applies: (found, { previous }) => isToken(found, ...VALUES) && previous === undefined,
    hint: () => "the field comes first, then the operator, then the value",
  },
  {
    applies: (found, { previous }) => isToken(found, ...VALUES) && isToken(previous, ...VALUES),
    hint: (found, { previous }) =>
      `for several values write a set: \`in {${clip(previous?.image ?? "")} ${found}}\``,
  },
  {
    applies: (found) => isToken(found, Token.Compare, Token.In, Token.BitwiseAnd, Token.TextOperator),
    hint: hintSecondOperator,
  },
  {
    applies: (found, { previous, open }) =>
      isToken(found, Token.ParenClose, Token.BraceClose) && previous !== undefined && open === undefined,
    hint: (found) => `nothing is open that \`${found}\` could close`,
  },
  {
    applies: (found, { open }) =>
      open?.kind !== "set" && isToken(found, Token.Field, Token.Not, Token.ParenOpen, Token.FilterHole),
    hint: (_found, { previous }) =>
      isToken(previous, Token.Field)
        ? "a field is asked with an operator, as in `ip.src == 192.0.2.1`"
        : JOIN,
  },
];

/** Operators in the words of other languages. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["is", "=="],
  ["equals", "=="],
  ["between", "in {80..90}"],
  ["like", "in {…}"],
  ["nin", "not … in {…}"],
]);

export function hintAt(place: Place): string | undefined {
  const { found } = place;
  return found && HABITS.find(({ applies }) => applies(found, place))?.hint(clip(found.image), place);
}

/** Whether the set is closed before another one is opened. */
function closesSet({ tokens, index }: Place): boolean {
  const next = tokens.slice(index).find((token) => isToken(token, Token.BraceOpen, Token.BraceClose));
  return isToken(next, Token.BraceClose);
}

/** `ip.proto == tcp`, `tcp.flags.syn == true`, `ip.src == ip.dst`. */
function hintNameAsValue(image: string, { tokens, index }: Place): string {
  const field = clip(tokens[index - 2]?.image ?? "");
  if (image === "true" || image === "false") {
    return `a flag is a condition by itself; write \`${image === "true" ? "" : "not "}${field}\``;
  }
  return image.includes(".")
    ? "a field is compared with a value, not with another field"
    : `text stands in double quotes: "${image}"; a constant of the policy is written \`\${${image}}\``;
}

/** `tcp.dstport == 80 or 443`. */
function hintSecondValue(image: string, { tokens, index }: Place): string {
  const joiner = tokens[index - 1];
  const [field, op, value] = tokens.slice(Math.max(0, index - 4), index - 1);
  const rule = `both sides of \`${joiner?.image}\` are whole conditions`;
  return isToken(joiner, Token.Or) && isToken(op, Token.Compare) && field && value
    ? `${rule}; for several values write \`${clip(field.image)} in {${clip(value.image)} ${image}}\``
    : rule;
}

/** `80 < tcp.dstport < 90`, `a & 2 == 2`, `== 80`. */
function hintSecondOperator(_image: string, { previous }: Place): string {
  return isToken(previous, ...VALUES, Token.BraceClose)
    ? "each condition has one operator; join two conditions with `and`"
    : "the field comes first, then the operator, then the value";
}
