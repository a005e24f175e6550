import type { NumberField, Reading } from "../ir/fields.js";
import { contains, type Intervals, intersection, intervals, sameIntervals } from "../ir/intervals.js";
import type { Comparison } from "./filters.js";
import { wireValues } from "./readings.js";
import { numberIn, valuesOf } from "./values.js";

export type Answer = "never" | "sometimes" | "always";

/** What a comparison says of the values that packets can have. */
export function answerOf(comparison: Comparison, field: NumberField): Answer {
  if (comparison.kind === "bits") {
    const mask = numberIn(field, comparison.mask);
    // Of all values, 0 has no bit and the largest has every one.
    const values = field.values ?? [0, field.max];
    return together(values.map((value) => ((BigInt(value) & mask) === 0n ? "never" : "always")));
  }
  const possible = possibleValues(field);
  const values = intersection(valuesOf(comparison, field), possible);
  return together(field.readings.map((reading) => answerAt(reading, values, possible)));
}

function together(answers: readonly Answer[]): Answer {
  const [first] = answers;
  return first && answers.every((answer) => answer === first) ? first : "sometimes";
}

function answerAt(reading: Reading, values: Intervals, possible: Intervals): Answer {
  if (reading.kind === "constant") return contains(values, BigInt(reading.value)) ? "always" : "never";
  const asked = wireValues(reading, values);
  if (asked.length === 0) return "never";
  return sameIntervals(asked, wireValues(reading, possible)) ? "always" : "sometimes";
}

function possibleValues({ min, max, values }: NumberField): Intervals {
  if (!values) return [{ low: BigInt(min), high: BigInt(max) }];
  return intervals(values.map(BigInt).map((value) => ({ low: value, high: value })));
}
