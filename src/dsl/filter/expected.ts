import type { IToken, TokenType } from "chevrotain";
import { clip } from "../../compiler/diagnostics/clip.js";
import type { Label } from "../../compiler/diagnostics/diagnostic.js";
import { FUNCTION_NAMES } from "../../compiler/ir/functions.js";
import { openBrackets } from "./brackets.js";
import { hintAt } from "./hints.js";
import { tokenSpan } from "./lex.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate } from "./template.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** A place where an expression cannot go on. */
export interface Place {
  readonly tokens: readonly IToken[];
  readonly index: number;
  /** undefined: the expression ends here. */
  readonly found: IToken | undefined;
  readonly previous: IToken | undefined;
  /** The innermost bracket that is open. */
  readonly open: { readonly kind: "group" | "set" | "call"; readonly token: IToken } | undefined;
}

/** Says in the language's words what could have stood at the first token that has no place. */
export function reportStuck(
  tokens: readonly IToken[],
  index: number,
  template: FilterTemplate,
  problems: Problems,
): void {
  const place = placeAt(tokens, index);
  const { found } = place;
  const span = found ? tokenSpan(found, problems) : problems.source.span(template.end, template.end + 1);
  problems.fatal(
    "TG1100",
    span,
    { expected: expectedAt(place), found: found ? describeToken(found) : "the end of the expression" },
    { hint: hintAt(place), related: unclosed(place, problems) },
  );
}

function placeAt(tokens: readonly IToken[], index: number): Place {
  const bracket = openBrackets(tokens, index).at(-1);
  const token = bracket && tokens[bracket.index];
  return {
    tokens,
    index,
    found: tokens[index],
    previous: tokens[index - 1],
    open: bracket && token && { kind: bracket.kind, token },
  };
}

/** What can follow a token, whatever is around it. */
const AFTER: readonly (readonly [types: readonly TokenType[], expected: string])[] = [
  [[Token.And, Token.Or, Token.Xor, Token.Not], "a condition such as `ip.src == 192.0.2.1`"],
  [[Token.Compare, Token.BitwiseAnd], "a value"],
  [[Token.TextOperator], "a text in double quotes"],
  [[Token.Range], "the end of the range"],
  [[Token.In], "a set in braces, or a list"],
];

function expectedAt({ previous, open }: Place): string {
  const [, after] = AFTER.find(([types]) => isToken(previous, ...types)) ?? [];
  if (after) return after;
  switch (open?.kind) {
    case "set":
      return "a value or `}`";
    case "call":
      return isToken(previous, Token.ParenOpen, Token.Comma) ? "an argument" : "`,` or `)`";
    default: {
      if (!previous || previous === open?.token) return "a condition such as `ip.src == 192.0.2.1`";
      const join = open ? "`and`, `or` or `)`" : "`and`, `or` or the end of the expression";
      const isName = previous.tokenType === Token.Field && !FUNCTION_NAMES.some((n) => n === previous.image);
      return isName ? `an operator such as \`==\` or \`in\`, ${join}` : join;
    }
  }
}

const KINDS: ReadonlyMap<TokenType, string> = new Map([
  [Token.Field, "the name "],
  [Token.Text, "the text "],
  [Token.ArrayHole, "the array "],
  [Token.ListHole, "the list "],
  [Token.FilterHole, "the expression "],
]);

function describeToken({ tokenType, image }: IToken): string {
  return `${KINDS.get(tokenType) ?? ""}\`${clip(image)}\``;
}

/** A bracket still open is worth a look only where it explains what is expected. */
function unclosed({ open }: Place, problems: Problems): readonly Label[] {
  return open ? [{ span: tokenSpan(open.token, problems), text: "opened here" }] : [];
}
