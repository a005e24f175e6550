import type { Diagnostics, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { describe, errorValue, type Value } from "../evaluate/value.js";
import type { Operand } from "../filter/ast.js";
import { readText } from "../filter/literal.js";
import { sizeOf } from "../filter/nesting.js";
import { parseFilter } from "../filter/parse.js";
import type { Interpolated } from "../filter/template.js";

/** The text of one expr`…` with the values of its interpolations; offsets are those of the file. */
export interface TemplateBody {
  readonly start: number;
  readonly end: number;
  readonly holes: readonly { readonly start: number; readonly end: number; readonly value: Value }[];
}

/** The part of an evaluation that making an expression needs. */
interface Run {
  readonly source: SourceFile;
  readonly diagnostics: Diagnostics;
  spend(amount: number, span: Span): boolean;
}

/** expr`…`: an expression, or an error value when it cannot be read. */
export function makeFilter(body: TemplateBody, span: Span, run: Run): Value {
  const { source, diagnostics } = run;
  const holes = body.holes.map(({ start, end, value }) => ({
    start,
    end,
    value: interpolate(value, source.span(start, end), diagnostics),
  }));
  const filter = parseFilter({ source, start: body.start, end: body.end, holes }, diagnostics);
  // Expressions that interpolate others grow with every level, so their size is paid for each time.
  if (!run.spend(sizeOf(filter).nodes, span)) return errorValue(span);
  return { kind: "filter", filter, span };
}

function interpolate(value: Value, hole: Span, diagnostics: Diagnostics): Interpolated {
  switch (value.kind) {
    case "list":
      return { kind: "list", list: value.list };
    case "filter":
      return { kind: "filter", filter: value.filter };
    case "array": {
      const items = itemsFrom(value.items, hole, diagnostics);
      return items ? { kind: "array", items } : { kind: "unknown" };
    }
    default: {
      const operand = operandFrom(value, hole, hole, diagnostics);
      if (operand === "none") reportKind(value, placeOf(value, hole), diagnostics);
      return typeof operand === "object" ? { kind: "scalar", operand } : { kind: "unknown" };
    }
  }
}

/** More in one array help nobody, and each takes longer than many items without one. */
const MAX_MISTAKEN_ITEMS = 100;

/** The members of an array as those of a set; undefined after a report. */
function itemsFrom(
  values: readonly Value[],
  hole: Span,
  diagnostics: Diagnostics,
): readonly Operand[] | undefined {
  const items: Operand[] = [];
  let mistaken = 0;
  for (const value of values) {
    const item = itemFrom(value, hole, diagnostics);
    if (item) items.push(item);
    else if (++mistaken === MAX_MISTAKEN_ITEMS) break;
  }
  return mistaken === 0 ? items : undefined;
}

/** A member of an array, which is to be found where it was written. */
function itemFrom(item: Value, hole: Span, diagnostics: Diagnostics): Operand | undefined {
  const operand = operandFrom(item, item.span, hole, diagnostics);
  if (operand !== "none") return operand;
  const related = [{ span: hole, text: "used here" }];
  reportKind(item, { span: item.via ?? item.span, related }, diagnostics, ITEM_HINTS[item.kind]);
  return undefined;
}

/** A value as an operand that is to be found at `span`; undefined after a report, "none" for other kinds. */
function operandFrom(
  value: Value,
  span: Span,
  hole: Span,
  diagnostics: Diagnostics,
): Operand | "none" | undefined {
  const related = [{ span: hole, text: "used here" }];
  switch (value.kind) {
    case "string":
      return readText(value.value, { span, at: value.span, related }, diagnostics);
    case "number":
      if (Number.isSafeInteger(value.value) && value.value >= 0) {
        return { kind: "number", value: BigInt(value.value), span };
      }
      diagnostics.report(
        "TG1121",
        value.span,
        { number: value.value },
        { related, hint: numberHint(value.value) },
      );
      return undefined;
    case "error":
      return undefined;
    default:
      return "none";
  }
}

function numberHint(value: number): string | undefined {
  if (value < 0) return "numbers of packets are never negative";
  if (Number.isInteger(value)) {
    return "so large a number is not exact in TypeScript; write it in the expression itself";
  }
  return Number.isFinite(value) ? `round it: Math.round(${value})` : undefined;
}

interface Place {
  readonly span: Span;
  readonly related: readonly Label[];
}

/** The interpolation, because there the value has no place, and where the value was written if that is elsewhere. */
function placeOf({ span, via }: Value, hole: Span): Place {
  const inside = [via, span].find(
    (one) => one && one.file === hole.file && one.start >= hole.start && one.end <= hole.end,
  );
  const related = inside === span ? [] : [{ span, text: "the value is written here" }];
  return { span: inside ?? hole, related };
}

/** What is meant by values that an expression cannot hold. */
const HINTS: Readonly<Partial<Record<Value["kind"], string>>> = {
  boolean: "to choose between conditions, interpolate an expression: strict ? expr`…` : expr`…`",
  null: "it has no value; leave the condition out where there is none",
  undefined: "it has no value; leave the condition out where there is none",
  object: "interpolate one of its properties",
  builtin: "call it, and interpolate what it makes",
  function: "call it, and interpolate what it makes",
  native: "call it, and interpolate what it makes",
  rule: "interpolate the expression of the rule, not the rule",
};

/** The same for members of an array. */
const ITEM_HINTS: Readonly<Partial<Record<Value["kind"], string>>> = {
  array: "an array in an array is no set; flatten it with `.flat()`, or spread it: `[...one, ...other]`",
  list: "a list is no member of a set; ask for each by itself, and join with `or`",
  filter: "expressions are joined with `and` and `or`, each interpolated by itself",
};

function reportKind(
  value: Value,
  { span, related }: Place,
  diagnostics: Diagnostics,
  hint: string | undefined = HINTS[value.kind],
): void {
  diagnostics.report("TG1120", span, { found: describe(value) }, { hint, related });
}
