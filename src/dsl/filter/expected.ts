import type { IToken } from "chevrotain";
import type { Span } from "../../compiler/diagnostics/span.js";
import { tokenSpan } from "./lex.js";
import type { Problems } from "./problems.js";
import type { FilterTemplate } from "./template.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

/** Says in the language's words what could have stood at the first token that has no place. */
export function reportStuck(
  tokens: readonly IToken[],
  index: number,
  template: FilterTemplate,
  problems: Problems,
): void {
  const found = tokens[index];
  const previous = tokens[index - 1];
  const span = found ? tokenSpan(found, problems) : problems.source.span(template.end, template.end + 1);
  if (found?.tokenType === Token.PlannedOperator) {
    problems.fatal("TG1105", span, { name: found.image });
    return;
  }
  if (found?.tokenType === Token.ParenOpen && previous?.tokenType === Token.Field) {
    reportFunction(previous, problems);
    return;
  }
  const place = { tokens, index, open: openBrackets(tokens.slice(0, index)) };
  problems.fatal(
    "TG1100",
    span,
    { expected: expectedAt(place), found: found ? describeToken(found) : "the end of the expression" },
    { hint: hintAt(place, found), related: unclosed(place, problems) },
  );
}

/** Functions of the Rules language that are not matched yet. */
const PLANNED_FUNCTIONS = /^(?:bit_slice|payload\.u(?:8|16|32))$/;

function reportFunction(name: IToken, problems: Problems): void {
  const span = tokenSpan(name, problems);
  if (PLANNED_FUNCTIONS.test(name.image)) problems.fatal("TG1105", span, { name: name.image });
  else problems.fatal("TG1106", span, { name: name.image });
}

interface Place {
  readonly tokens: readonly IToken[];
  readonly index: number;
  /** Brackets opened before the place and not closed, the innermost last. */
  readonly open: readonly IToken[];
}

function openBrackets(tokens: readonly IToken[]): readonly IToken[] {
  const open: IToken[] = [];
  for (const token of tokens) {
    if (token.tokenType === Token.ParenOpen || token.tokenType === Token.BraceOpen) open.push(token);
    if (token.tokenType === Token.ParenClose || token.tokenType === Token.BraceClose) open.pop();
  }
  return open;
}

function expectedAt({ tokens, index, open }: Place): string {
  const previous = tokens[index - 1];
  const inSet = open.at(-1)?.tokenType === Token.BraceOpen;
  if (!previous || isToken(previous, Token.And, Token.Or, Token.Xor, Token.Not, Token.ParenOpen)) {
    return "a condition such as `ip.src == 192.0.2.1`";
  }
  if (isToken(previous, Token.Compare, Token.BitwiseAnd)) return "a value";
  if (isToken(previous, Token.Range)) return "the end of the range";
  if (isToken(previous, Token.In)) return "a set in braces, or a list";
  if (inSet) return "a value or `}`";
  const join = open.length > 0 ? "`and`, `or` or `)`" : "`and`, `or` or the end of the expression";
  return isToken(previous, Token.Field) ? `an operator such as \`==\` or \`in\`, ${join}` : join;
}

function describeToken(token: IToken): string {
  switch (token.tokenType) {
    case Token.Field:
      return `the name \`${token.image}\``;
    case Token.ArrayHole:
      return `the array \`${token.image}\``;
    case Token.ListHole:
      return `the list \`${token.image}\``;
    case Token.FilterHole:
      return `the expression \`${token.image}\``;
    default:
      return `\`${token.image}\``;
  }
}

function unclosed({ open }: Place, problems: Problems): readonly { span: Span; text: string }[] {
  const bracket = open.at(-1);
  return bracket ? [{ span: tokenSpan(bracket, problems), text: "opened here" }] : [];
}

const KEYWORDS = /^(?:and|or|xor|not|in|eq|ne|lt|le|gt|ge|bitwise_and)$/;

function hintAt(place: Place, found: IToken | undefined): string | undefined {
  const previous = place.tokens[place.index - 1];
  if (!found) return undefined;
  const image = found.image;
  if (isToken(found, Token.Comma)) return "separate the items of a set with spaces: `{80 443}`";
  const lower = image.toLowerCase();
  if (isToken(found, Token.Field) && image !== lower && KEYWORDS.test(lower)) return `write \`${lower}\``;
  if (isToken(found, Token.Field) && isToken(previous, Token.Compare)) return hintNameAsValue(place, image);
  if (isToken(previous, Token.In) && isToken(found, Token.Literal, Token.Text, Token.ScalarHole)) {
    return `write \`in {${image}}\``;
  }
  if (isToken(previous, Token.Compare) && isToken(found, Token.ArrayHole, Token.ListHole))
    return `write \`in ${image}\``;
  if (isToken(previous, Token.Compare) && isToken(found, Token.BraceOpen))
    return "a set is asked with `in`, not compared";
  if (
    isToken(previous, Token.And, Token.Or, Token.Xor) &&
    isToken(found, Token.Literal, Token.Text, Token.ScalarHole)
  ) {
    return hintSecondValue(place, image);
  }
  if (isToken(found, Token.Literal, Token.Text) && !isToken(previous, Token.Field)) {
    return "the field comes first, then the operator, then the value";
  }
  if (isToken(found, Token.Compare)) return "each condition has one operator; join two conditions with `and`";
  return undefined;
}

/** `ip.proto == tcp`, `tcp.flags.syn == true`, `ip.src == ip.dst`. */
function hintNameAsValue({ tokens, index }: Place, image: string): string {
  const field = tokens[index - 2]?.image ?? "";
  if (image === "true" || image === "false") {
    return `a flag is a condition by itself; write \`${image === "true" ? "" : "not "}${field}\``;
  }
  return image.includes(".")
    ? "a field is compared with a value, not with another field"
    : `text stands in double quotes: "${image}"; a constant of the policy is written \`\${${image}}\``;
}

/** `tcp.dstport == 80 or 443`. */
function hintSecondValue({ tokens, index }: Place, image: string): string {
  const joiner = tokens[index - 1];
  const [field, op, value] = tokens.slice(Math.max(0, index - 4), index - 1);
  const rule = `both sides of \`${joiner?.image}\` are whole conditions`;
  return isToken(joiner, Token.Or) && isToken(op, Token.Compare) && field && value
    ? `${rule}; for several values write \`${field.image} in {${value.image} ${image}}\``
    : rule;
}
