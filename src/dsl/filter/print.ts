import { assertNever, invariant } from "../../compiler/diagnostics/invariant.js";
import { OPERATORS, printValue } from "../../compiler/ir/value.js";
import type { FieldArgument, FieldRef, Filter, SetItem } from "./ast.js";

/** How tightly each kind of node holds its parts together. */
const PRECEDENCE: Readonly<Record<Filter["kind"], number>> = {
  or: 1,
  xor: 2,
  and: 3,
  not: 4,
  ...{ compare: 5, in: 5, inList: 5, bits: 5, text: 5, flag: 5, unknown: 5 },
};

/**
 * The canonical text of an expression, as it would stand between the backticks. Reading it again gives the
 * same tree; lists and texts that have no spelling of their own are written as interpolations.
 */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case "compare":
      return `${printField(filter.field)} ${OPERATORS[filter.op]} ${printValue(filter.value)}`;
    case "in":
      return `${printField(filter.field)} in {${filter.items.map(printItem).join(" ")}}`;
    case "inList":
      return `${printField(filter.field)} in \${${filter.list.name}}`;
    case "bits":
      return `${printField(filter.field)} & ${printValue(filter.mask)}`;
    case "text":
      return `${printField(filter.field)} ${filter.op} ${printValue(filter.value)}`;
    case "flag":
      return printField(filter.field);
    case "not":
      return `not ${printInside(filter.operand, PRECEDENCE.not)}`;
    case "and":
    case "or":
    case "xor":
      return filter.operands.map((o) => printInside(o, PRECEDENCE[filter.kind] + 1)).join(` ${filter.kind} `);
    case "unknown":
      invariant(false, "only whole expressions are printed");
      break;
    default:
      return assertNever(filter);
  }
}

export function printField({ name, args }: FieldRef): string {
  return args ? `${name}(${args.map(printArgument).join(", ")})` : name;
}

function printArgument(argument: FieldArgument): string {
  return argument.kind === "word" ? argument.value : printValue(argument);
}

function printInside(filter: Filter, least: number): string {
  const text = printFilter(filter);
  return PRECEDENCE[filter.kind] < least ? `(${text})` : text;
}

function printItem(item: SetItem): string {
  return item.kind === "range" ? `${printValue(item.low)}..${printValue(item.high)}` : printValue(item);
}
