import { BOOLEAN, STRING } from "./methods/conversions.js";
import { MATH, NUMBER, PARSE_FLOAT, PARSE_INT } from "./methods/math.js";
import type { Native } from "./methods/native.js";
import { ARRAY, OBJECT } from "./methods/object.js";

/** The global names of JavaScript that policies know: all of them pure, and the same on every machine. */
export const GLOBALS: ReadonlyMap<string, Native | number> = new Map<string, Native | number>([
  ["Array", ARRAY],
  ["Boolean", BOOLEAN],
  ["Math", MATH],
  ["Number", NUMBER],
  ["Object", OBJECT],
  ["String", STRING],
  ["parseFloat", PARSE_FLOAT],
  ["parseInt", PARSE_INT],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["NaN", Number.NaN],
]);
