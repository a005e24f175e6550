import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { describe, placesOf, type Value } from "../evaluate/value.js";
import type { Located, LocatedText } from "../surface.js";

/**
 * Reads a value as a T, or reports what is wrong with it and gives undefined. An error value gives undefined
 * without a report. `what` names the place in messages: "`prefixes`".
 */
export type Shape<T> = (value: Value, what: string, diagnostics: Diagnostics) => T | undefined;

/** TG2053: the value is of another kind than the place needs. */
export function reportKind(
  value: Value,
  what: string,
  expected: string,
  diagnostics: Diagnostics,
  hint?: string,
): undefined {
  if (value.kind === "error") return;
  const { span, related } = placesOf(value);
  diagnostics.report("TG2053", span, { what, expected, found: describe(value) }, { related, hint });
}

export const text: Shape<Located<string>> = (value, what, diagnostics) =>
  value.kind === "string"
    ? { value: value.value, span: value.span }
    : reportKind(value, what, "a string", diagnostics);

/** A text that later stages point into. */
export const textToPointInto: Shape<LocatedText> = (value, what, diagnostics) => {
  const read = text(value, what, diagnostics);
  return read && { ...read, verbatim: value.kind === "string" && value.verbatim === true };
};

/** Any number; its limits are for the passes. */
export const number: Shape<Located<number>> = (value, what, diagnostics) =>
  value.kind === "number"
    ? { value: value.value, span: value.span }
    : reportKind(value, what, "a number", diagnostics);

/** A number, or a word that stands for one. */
export const numberOrText: Shape<Located<number | string>> = (value, what, diagnostics) =>
  value.kind === "number" || value.kind === "string"
    ? { value: value.value, span: value.span }
    : reportKind(value, what, "a number or a string", diagnostics);

export const boolean: Shape<Located<boolean>> = (value, what, diagnostics) =>
  value.kind === "boolean"
    ? { value: value.value, span: value.span }
    : reportKind(value, what, "true or false", diagnostics);

/** What could be read of an array or object. `complete`: nothing was left out. */
export interface Several<T> {
  readonly items: readonly T[];
  readonly complete: boolean;
}

/** The items of an array that can be read; the others are reported and left out, so that these can be looked at. */
export function severalOf<T>(item: Shape<T>, expected = "an array"): Shape<Several<T>> {
  return (value, what, diagnostics) => {
    if (value.kind !== "array") return reportKind(value, what, expected, diagnostics);
    return whole(value.items.map((one) => item(one, `an item of ${what}`, diagnostics)));
  };
}

export interface Named<T> {
  readonly name: Located<string>;
  readonly value: T;
}

/** The same for an object whose property names are the author's own. */
export function severalNamed<T>(item: Shape<T>): Shape<Several<Named<T>>> {
  return (value, what, diagnostics) => {
    if (value.kind !== "object") return reportKind(value, what, "an object", diagnostics);
    const entries = [...value.properties].map(([name, property]) => {
      const read = item(property.value, `\`${name}\` in ${what}`, diagnostics);
      return read === undefined ? undefined : { name: { value: name, span: property.key }, value: read };
    });
    return whole(entries);
  };
}

function whole<T>(read: readonly (T | undefined)[]): Several<T> {
  const items = read.filter((one) => one !== undefined);
  return { items, complete: items.length === read.length };
}

/** An array all of whose items can be read. */
export function arrayOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return allOf(severalOf(item));
}

/** An object all of whose properties can be read; their names are the author's own. */
export function recordOf<T>(item: Shape<T>): Shape<readonly Named<T>[]> {
  return allOf(severalNamed(item));
}

function allOf<T>(several: Shape<Several<T>>): Shape<readonly T[]> {
  return (value, what, diagnostics) => {
    const read = several(value, what, diagnostics);
    return read?.complete ? read.items : undefined;
  };
}
