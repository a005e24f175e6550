import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { describe, errorValue, placesOf, type Value } from "../evaluate/value.js";
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
      const items = value.items.map((item) => operandFrom(item, item.span, hole, diagnostics));
      return items.includes(undefined)
        ? { kind: "unknown" }
        : { kind: "array", items: items.filter((item) => item !== undefined) };
    }
    default: {
      const operand = operandFrom(value, hole, hole, diagnostics);
      return operand ? { kind: "scalar", operand } : { kind: "unknown" };
    }
  }
}

/** A value as an operand that is to be found at `span`; undefined after a report. */
function operandFrom(value: Value, span: Span, hole: Span, diagnostics: Diagnostics): Operand | undefined {
  const related = [{ span: hole, text: "used here" }];
  switch (value.kind) {
    case "string":
      return readText(value.value, { span, at: value.span, related }, diagnostics);
    case "number":
      if (Number.isSafeInteger(value.value) && value.value >= 0) {
        return { kind: "number", value: BigInt(value.value), span };
      }
      diagnostics.report("TG1121", value.span, { number: value.value }, { related });
      return undefined;
    case "error":
      return undefined;
    default: {
      const place = placesOf(value);
      diagnostics.report("TG1120", place.span, { found: describe(value) }, { related: place.related });
      return undefined;
    }
  }
}
