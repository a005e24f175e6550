import { SHAPES } from "./shapes.js";
import { TYPES } from "./types.js";
import { VALUES } from "./values.js";

/** TG2xxx: names, types, shapes and values. */
export const NAMES = { ...TYPES, ...VALUES, ...SHAPES };
