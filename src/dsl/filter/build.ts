import type { IToken } from "chevrotain";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { formatPrefix } from "../../compiler/ir/address.js";
import { type CompareOp, describeValue } from "../../compiler/ir/value.js";
import type { FieldRef, Filter, Operand, SetItem } from "./ast.js";
import type { Payload } from "./lex.js";
import { printOperand } from "./print.js";
import type { Problems } from "./problems.js";
import type { Interpolated } from "./template.js";

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

export function compareNode(
  field: FieldRef,
  operator: string,
  value: Operand,
  span: Span,
  problems: Problems,
): Filter {
  const op = COMPARE_OPS.get(operator);
  invariant(op, `${operator} is a comparison`);
  if (value.kind !== "prefix") return { kind: "compare", field, op, value, span };
  const prefix = formatPrefix(value.prefix);
  const inside = `${field.name} in {${prefix}}`;
  const params = { prefix };
  switch (op) {
    case "eq":
      problems.repaired("TG1113", value.span, params, { hint: `write \`${inside}\`` });
      return { kind: "in", field, items: [value], span };
    case "ne":
      problems.fatal("TG1113", value.span, params, { hint: `write \`not ${inside}\`` });
      return { kind: "compare", field, op, value, span };
    default:
      problems.fatal("TG1113", value.span, params, { hint: "compare with one address" });
      return { kind: "compare", field, op, value, span };
  }
}

export function rangeNode(low: Operand, high: Operand, span: Span, problems: Problems): SetItem {
  const range: SetItem = { kind: "range", low, high, span };
  if (problems.isLost(low) || problems.isLost(high)) return range;
  const [start, end] = [positionOf(low), positionOf(high)];
  if (start === undefined || end === undefined || low.kind !== high.kind) {
    problems.fatal("TG1116", span, { low: describeValue(low), high: describeValue(high) });
    return range;
  }
  const text = `${printOperand(low)}..${printOperand(high)}`;
  if (low.kind === "address" && high.kind === "address" && low.address.family !== high.address.family) {
    problems.fatal("TG1115", span, { range: text, low: low.address.family, high: high.address.family });
    return range;
  }
  if (start <= end) return range;
  const hint = `write \`${printOperand(high)}..${printOperand(low)}\``;
  problems.repaired("TG1114", span, { range: text }, { hint });
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
  return payload.value.kind === "scalar" ? payload.value.operand : problems.lostOperand(span);
}

export function itemsOf(token: IToken): readonly SetItem[] {
  const value = interpolated(token);
  return value.kind === "array" ? value.items : [];
}

export function inListNode(field: FieldRef, token: IToken, span: Span): Filter {
  const value = interpolated(token);
  return value.kind === "list"
    ? { kind: "inList", field, list: value.list, span }
    : { kind: "in", field, items: [], span };
}

export function filterOf(token: IToken, span: Span): Filter {
  const value = interpolated(token);
  return value.kind === "filter" ? value.filter : { kind: "or", operands: [], span };
}

/** An unknown value fits everywhere; the expression that holds it is dropped when it is read to its end. */
function interpolated(token: IToken): Interpolated {
  const payload = token.payload as Payload;
  invariant(payload.kind === "hole", "the grammar asks for an interpolation");
  return payload.value;
}
