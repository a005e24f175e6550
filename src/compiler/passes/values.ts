import type { Operand, SetItem } from "../../dsl/filter/ast.js";
import { impossible, invariant } from "../diagnostics/invariant.js";
import type { NumberField } from "../ir/fields.js";
import { complement, type Intervals, intersection, intervals, type Range } from "../ir/intervals.js";
import type { CompareOp } from "../ir/value.js";
import type { Comparison } from "./filters.js";
import { numberOf } from "./operands.js";

/** Wide enough for every number field. */
const BITS = 64;

/** The values of a number field for which a comparison holds; not the bits that packets carry for them. */
export function valuesOf(comparison: Comparison, field: NumberField): Intervals {
  switch (comparison.kind) {
    case "compare":
      return compared(comparison.op, numberIn(field, comparison.value), field);
    case "in":
      return intervals(comparison.items.map((item) => rangeOf(item, field)));
    default:
      return impossible("a number is compared with numbers");
  }
}

function compared(op: CompareOp, n: bigint, { max }: NumberField): Intervals {
  const last = BigInt(max);
  switch (op) {
    case "eq":
      return [{ low: n, high: n }];
    case "ne":
      return intersection(complement([{ low: n, high: n }], BITS), [{ low: 0n, high: last }]);
    case "lt":
      return upTo(0n, n - 1n);
    case "le":
      return upTo(0n, n);
    case "gt":
      return upTo(n + 1n, last);
    case "ge":
      return upTo(n, last);
  }
}

function upTo(low: bigint, high: bigint): Intervals {
  return low <= high ? [{ low, high }] : [];
}

function rangeOf(item: SetItem, field: NumberField): Range {
  const [first, last] = item.kind === "range" ? [item.low, item.high] : [item, item];
  return forwards(numberIn(field, first), numberIn(field, last));
}

/** The reader refuses ranges that run backwards. */
export function forwards(low: bigint, high: bigint): Range {
  invariant(low <= high, "a range runs forwards");
  return { low, high };
}

/** The number that an operand, which the type checker has accepted, stands for. */
export function numberIn(field: NumberField, operand: Operand): bigint {
  const value = numberOf(field, operand);
  invariant(value !== undefined, "the operand of a number field is a number");
  return value;
}
