import type { Located } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";

export interface Bounds {
  readonly what: string;
  readonly min: number;
  readonly max: number;
}

/** A whole number within its bounds, or `fallback` where none is written (or a wrong one, which is reported). */
export function readBounded<Fallback>(
  number: Located<number> | null,
  fallback: Fallback,
  { what, min, max }: Bounds,
  diagnostics: Diagnostics,
): number | Fallback {
  if (number === null) return fallback;
  if (Number.isInteger(number.value) && number.value >= min && number.value <= max) return number.value;
  const wanted = `a whole number from ${min} to ${max}`;
  diagnostics.report("TG2033", number.span, { what, wanted, value: number.value });
  return fallback;
}
