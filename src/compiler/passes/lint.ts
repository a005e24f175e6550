import type { Filter } from "../../dsl/filter/ast.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type NumberField, PROTOCOLS, type Reading } from "../ir/fields.js";
import { HEADERS } from "../ir/headers.js";
import { type Intervals, intersection, sameIntervals } from "../ir/intervals.js";
import { type Comparison, comparisons } from "./filters.js";
import { fieldOf } from "./operands.js";
import { wireValues } from "./readings.js";
import { numberIn, valuesOf } from "./values.js";

/**
 * Warns of comparisons of numbers that no value, or every value, of their field fulfils. Addresses are left alone:
 * `ip.src in {::/0}` is how to say "IPv6".
 */
export function warnOfBounds(filter: Filter, diagnostics: Diagnostics): void {
  for (const comparison of comparisons(filter)) {
    const field = fieldOf(comparison.field);
    if (field.type === "number") checkNumber(comparison, field, diagnostics);
  }
}

function checkNumber(comparison: Comparison, field: NumberField, diagnostics: Diagnostics): void {
  if (comparison.kind === "bits") {
    if (numberIn(field, comparison.mask) === 0n) diagnostics.report("TG3002", comparison.span, {});
    return;
  }
  const values = intersection(valuesOf(comparison, field), possibleValues(field));
  if (!field.readings.some((reading) => canHold(reading, values)))
    diagnostics.report("TG3002", comparison.span, {});
  else if (sameIntervals(values, possibleValues(field))) {
    const { header, hint } = whatIsLeft(field);
    diagnostics.report("TG3003", comparison.span, { header }, { hint });
  }
}

function canHold(reading: Reading, values: Intervals): boolean {
  if (reading.kind === "wire") return wireValues(reading, values).length > 0;
  return values.some(({ low, high }) => low <= reading.value && reading.value <= high);
}

function possibleValues({ min, max }: NumberField): Intervals {
  return [{ low: BigInt(min), high: BigInt(max) }];
}

/** All that such a comparison says is that the field is there. */
function whatIsLeft({ readings }: NumberField): {
  readonly header: string;
  readonly hint: string | undefined;
} {
  const [reading, ...others] = readings;
  if (reading?.kind !== "wire" || others.length > 0) return { header: "IP", hint: undefined };
  const { name, proto } = HEADERS[reading.wire.header];
  const protocol = Object.entries(PROTOCOLS).find(([, number]) => number === proto)?.[0];
  return {
    header: protocol ? name : "IP",
    hint: protocol && `write \`ip.proto == "${protocol}"\` if this is meant`,
  };
}
