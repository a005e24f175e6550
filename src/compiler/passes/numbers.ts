import type { Located } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";

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

/** The same, or one of the words that may stand for a number. */
export function readBoundedOr<const Word extends string, Fallback extends number | Word>(
  written: Located<number | string> | null,
  fallback: Fallback,
  bounds: Bounds,
  words: readonly Word[],
  diagnostics: Diagnostics,
): number | Word {
  if (written === null) return fallback;
  const { value, span } = written;
  if (typeof value === "number") return readBounded({ value, span }, fallback, bounds, diagnostics);
  const { what, min, max } = bounds;
  const number = `a whole number from ${min} to ${max}`;
  return oneOf({ value, span }, fallback, { what, words, number }, diagnostics);
}

interface Choice<Word extends string> {
  readonly what: string;
  readonly words: readonly Word[];
  /** A number that may stand there instead. */
  readonly number?: string;
}

/** One of the words, or `fallback` where none is written (or another one, which is reported). */
export function oneOf<const Word extends string, Fallback>(
  text: Located<string> | null,
  fallback: Fallback,
  { what, words, number }: Choice<Word>,
  diagnostics: Diagnostics,
): Word | Fallback {
  if (text === null) return fallback;
  const word = words.find((one) => one === text.value);
  if (word !== undefined) return word;
  const wanted = [...(number === undefined ? [] : [number]), ...words.map((one) => `"${one}"`)].join(" or ");
  const hint = didYouMean(text.value, words);
  diagnostics.report("TG2033", text.span, { what, wanted, value: `"${text.value}"` }, { hint });
  return fallback;
}
