import type { IToken } from "chevrotain";
import { clip } from "../../compiler/diagnostics/clip.js";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { formatPrefix } from "../../compiler/ir/address.js";
import { isFieldName } from "../../compiler/ir/fields.js";
import { FUNCTION_NAMES, isFunctionName } from "../../compiler/ir/functions.js";
import { type CompareOp, describeValue, printValue } from "../../compiler/ir/value.js";
import type { FieldArgument, FieldRef, Filter, Operand, SetItem } from "./ast.js";
import { type Payload, tokenSpan } from "./lex.js";
import { printField } from "./print.js";
import type { Problems } from "./problems.js";
import type { Interpolated } from "./template.js";

/** Makes a condition of the field in front of it; the span is that of both. */
export type Tail = (field: FieldRef, span: Span) => Filter;

/** Nodes from tokens, with the checks that need more than the grammar. */

const COMPARE_OPS: ReadonlyMap<string, CompareOp> = new Map<string, CompareOp>([
  ...(["eq", "ne", "lt", "le", "gt", "ge"] as const).map((op) => [op, op] as const),
  ...([
    ["==", "eq"],
    ["!=", "ne"],
    ["<", "lt"],
    ["<=", "le"],
    [">", "gt"],
    [">=", "ge"],
  ] as const),
]);

/** A field whose function does not exist, or lacks its arguments, is undefined after a report. */
export function fieldNode(
  name: IToken,
  args: readonly FieldArgument[] | null,
  spans: { readonly name: Span; readonly all: Span },
  problems: Problems,
): FieldRef | undefined {
  if (isFunctionName(name.image)) {
    if (args?.some((arg) => arg.kind !== "word" && problems.isLost(arg))) return undefined;
    if (args) return { name: name.image, args, span: spans.all };
    problems.fatal("TG1107", spans.name, { name: clip(name.image) });
    return undefined;
  }
  const constant = CONSTANTS.get(name.image);
  if (constant !== undefined && !args) {
    const expected = "a condition such as `ip.src == 192.0.2.1`";
    problems.fatal("TG1100", spans.name, { expected, found: `\`${name.image}\`` }, { hint: constant });
    return undefined;
  }
  if (!args) return { name: name.image, args, span: spans.all };
  const hint = isFieldName(name.image)
    ? "it is a field: leave out the parentheses"
    : (didYouMean(name.image, FUNCTION_NAMES) ?? FOREIGN_FUNCTIONS.get(name.image));
  problems.fatal("TG1106", spans.name, { name: clip(name.image) }, { hint });
  return undefined;
}

/** What stands for a condition elsewhere, and what to write instead. */
const CONSTANTS: ReadonlyMap<string, string> = new Map([
  ["true", "for every packet write `ip.version in {4 6}`"],
  ["false", "leave out the rule, or the condition"],
]);

const OF_TEXT = "functions of texts have no use here; compare with the value itself";

/** Functions of the Rules language that ask about other things than packets. */
const FOREIGN_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...["lower", "upper", "len", "starts_with", "ends_with", "concat", "substring", "regex_replace"].map(
    (name) => [name, OF_TEXT] as const,
  ),
  ["cidr", "write the prefix itself, in braces: `ip.src in {10.0.0.0/8}`"],
  ["cidr6", "write the prefix itself, in braces: `ip.src in {2001:db8::/32}`"],
  ["any", "join the conditions with `or`"],
  ["all", "join the conditions with `and`"],
]);

export function compareNode(
  field: FieldRef,
  operator: string,
  value: Operand,
  span: Span,
  problems: Problems,
): Filter {
  const op = COMPARE_OPS.get(operator);
  invariant(op, `${operator} is a comparison`);
  if (problems.isLost(value)) return unknown(field, span);
  if (value.kind !== "prefix") return { kind: "compare", field, op, value, span };
  const prefix = formatPrefix(value.prefix);
  const inside = `${printField(field)} in {${prefix}}`;
  const params = { prefix };
  switch (op) {
    case "eq":
      problems.repaired("TG1113", value.span, params, { hint: `write \`${inside}\`` });
      return { kind: "in", field, items: [value], span };
    case "ne":
      problems.fatal("TG1113", value.span, params, { hint: `write \`not ${inside}\`` });
      return unknown(field, span);
    default:
      problems.fatal("TG1113", value.span, params, { hint: "compare with one address" });
      return unknown(field, span);
  }
}

export function textNode(
  field: FieldRef,
  operator: IToken,
  value: Operand,
  span: Span,
  problems: Problems,
): Filter {
  if (problems.isLost(value)) return unknown(field, span);
  switch (operator.image) {
    case "contains":
    case "matches":
      return { kind: "text", field, op: operator.image, value, span };
    case "~":
      return { kind: "text", field, op: "matches", value, span };
    default:
      problems.fatal("TG1105", tokenSpan(operator, problems), { name: operator.image });
      return unknown(field, span);
  }
}

export function bitsNode(field: FieldRef, mask: Operand, span: Span, problems: Problems): Filter {
  return problems.isLost(mask) ? unknown(field, span) : { kind: "bits", field, mask, span };
}

/** A set with a member that could not be read is unknown: what is left of it would be another set. */
export function inNode(field: FieldRef, items: readonly SetItem[], span: Span, problems: Problems): Filter {
  return items.some((item) => problems.isLost(item))
    ? unknown(field, span)
    : { kind: "in", field, items, span };
}

export function unknown(subject: FieldRef | null, span: Span): Filter {
  return { kind: "unknown", subject, span };
}

/** A range that could not be read is a lost operand. */
export function rangeNode(low: Operand, high: Operand, span: Span, problems: Problems): SetItem {
  if (problems.isLost(low) || problems.isLost(high)) return problems.lostOperand(span);
  const [start, end] = [positionOf(low), positionOf(high)];
  if (start === undefined || end === undefined || low.kind !== high.kind) {
    problems.fatal("TG1116", span, { low: describeValue(low), high: describeValue(high) });
    return problems.lostOperand(span);
  }
  const range = clip(`${printValue(low)}..${printValue(high)}`);
  if (low.kind === "address" && high.kind === "address" && low.address.family !== high.address.family) {
    problems.fatal("TG1115", span, { range, low: low.address.family, high: high.address.family });
    return problems.lostOperand(span);
  }
  if (start <= end) return { kind: "range", low, high, span };
  const hint = `write \`${clip(`${printValue(high)}..${printValue(low)}`)}\``;
  problems.repaired("TG1114", span, { range }, { hint });
  return { kind: "range", low: high, high: low, span };
}

/** Where an end of a range lies in its order, or undefined for what has none. */
function positionOf(operand: Operand): bigint | undefined {
  if (operand.kind === "number") return operand.value;
  return operand.kind === "address" ? operand.address.value : undefined;
}

export function operandOf(token: IToken, span: Span, problems: Problems): Operand {
  const payload = token.payload as Payload;
  if (payload.kind === "operand") return payload.operand;
  return payload.kind === "hole" && payload.value.kind === "scalar"
    ? payload.value.operand
    : problems.lostOperand(span);
}

/** The members that an interpolated array brings; a value that is not known brings a lost one. */
export function itemsOf(token: IToken, span: Span, problems: Problems): readonly SetItem[] {
  const value = interpolated(token);
  return value.kind === "array" ? value.items : [problems.lostOperand(span)];
}

export function inListNode(field: FieldRef, token: IToken, span: Span): Filter {
  const value = interpolated(token);
  return value.kind === "list" ? { kind: "inList", field, list: value.list, span } : unknown(field, span);
}

/** An interpolated expression, or a part that was reported and has no value. */
export function filterOf(token: IToken, span: Span): Filter {
  const payload = token.payload as Payload;
  if (payload.kind === "unread") return unknown(payload.subject, span);
  const value = interpolated(token);
  return value.kind === "filter" ? value.filter : unknown(null, span);
}

function interpolated(token: IToken): Interpolated {
  const payload = token.payload as Payload;
  invariant(payload.kind === "hole", "the grammar asks for an interpolation");
  return payload.value;
}

/** Sets are often written with commas, and what is meant is plain. */
export function commaInSet(span: Span, problems: Problems): void {
  const hint = "separate the items of a set with spaces: `{80 443}`";
  problems.repaired("TG1100", span, { expected: "a value or `}`", found: "`,`" }, { hint });
}
