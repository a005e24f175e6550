import type { Filter } from "../../dsl/filter/ast.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { invariant } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import { ADDRESS_BITS, type Family } from "../ir/address.js";
import { complement, EMPTY, type Intervals, intersection, intervals } from "../ir/intervals.js";
import type { Comparison } from "./filters.js";
import type { Lists } from "./lists.js";
import { fieldKey, fieldOf } from "./operands.js";
import { makePresenceExplicit } from "./presence.js";
import { valuesOf } from "./values.js";

/** Wide enough for every number field. */
const NUMBER_BITS = 64;

/** Values of one field: of an address by its family, of a number as 0. */
type Values = ReadonlyMap<Family | 0, Intervals>;

/** What one condition asks of a field, or with `taken` excludes. */
interface Part {
  readonly field: string;
  readonly values: Values;
  readonly taken: boolean;
  readonly span: Span;
}

/**
 * Reports sets from which a conjunction takes everything away again, as in `ip.src in {A} and not ip.src in {A}`:
 * what is left is an empty set, and those are errors wherever they come from. True if there is none.
 */
export function checkDifferences(filter: Filter, lists: Lists, diagnostics: Diagnostics): boolean {
  const parts: Part[] = [];
  const rest: Filter[] = [];
  collect(filter, false);
  const fields = [...new Set(parts.map(({ field }) => field))];
  const here = fields.map((field) => checkField(field, parts, diagnostics));
  return [...here, ...rest.map((one) => checkDifferences(one, lists, diagnostics))].every((fine) => fine);

  /** Every condition that must hold together with the others; alternatives stand for themselves. */
  function collect(part: Filter, negated: boolean): void {
    switch (part.kind) {
      case "not":
        collect(part.operand, !negated);
        return;
      case "and":
        if (negated) rest.push(part);
        else for (const operand of part.operands) collect(operand, negated);
        return;
      case "or":
      case "xor":
        for (const operand of part.operands) {
          if (part.kind === "or" && negated) collect(operand, negated);
          else rest.push(operand);
        }
        return;
      case "bits":
      case "text":
      case "flag":
      case "unknown":
        return;
      default:
        parts.push(...partOf(part, negated, lists));
    }
  }
}

/** `!=` takes one value away; its negation says nothing, because it also holds without the field. */
function partOf(
  comparison: Exclude<Comparison, { kind: "bits" | "text" | "flag" }>,
  negated: boolean,
  lists: Lists,
): readonly Part[] {
  const unequal = comparison.kind === "compare" && comparison.op === "ne";
  if (unequal && negated) return [];
  const asked: Comparison = unequal ? { ...comparison, op: "eq" } : comparison;
  const values = valuesByFamily(asked, lists);
  return [{ field: fieldKey(comparison.field), values, taken: negated || unequal, span: comparison.span }];
}

/** The values of the field for which a comparison holds. */
function valuesByFamily(comparison: Comparison, lists: Lists): Values {
  if (comparison.kind === "inList") {
    const list = lists.get(comparison.list);
    invariant(list, "the list was read");
    return new Map([4 as const, 6 as const].map((family) => [family, list[family]]));
  }
  const field = fieldOf(comparison.field);
  if (field.type === "number") return new Map([[0, valuesOf(comparison, field)]]);
  const test = makePresenceExplicit(comparison, lists);
  invariant(test.kind === "address", "a comparison of an address is one test");
  return new Map([[test.family, test.ranges]]);
}

/** What exclude one another without `not`, such as two ports, is left to the warning about the whole rule. */
function checkField(field: string, all: readonly Part[], diagnostics: Diagnostics): boolean {
  const parts = all.filter((part) => part.field === field);
  const [first, ...others] = parts.filter(({ taken }) => !taken);
  const taken = parts.filter((part) => part.taken);
  if (!first) return true;
  const asked = [...first.values].map(([space, ranges]) => {
    const common = others.reduce(
      (left, { values }) => intersection(left, values.get(space) ?? EMPTY),
      ranges,
    );
    const away = intervals(taken.flatMap(({ values }) => values.get(space) ?? EMPTY));
    const left = intersection(common, complement(away, space === 0 ? NUMBER_BITS : ADDRESS_BITS[space]));
    return { common, left };
  });
  const something = asked.some(({ common }) => common.length > 0);
  if (!something || asked.some(({ left }) => left.length > 0)) return true;
  const related = taken.map(({ span }) => ({ span, text: "taken away here" }));
  diagnostics.report("TG2012", first.span, { field }, { related });
  return false;
}
