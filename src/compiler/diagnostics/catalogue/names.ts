import { HEALTH } from "./health.js";
import { KEYS } from "./keys.js";
import { SHAPES } from "./shapes.js";
import { TUNNELS } from "./tunnels.js";
import { TYPES } from "./types.js";
import { VALUES } from "./values.js";

/** TG2xxx: names, types, shapes, values and keys. */
export const NAMES = { ...TYPES, ...VALUES, ...SHAPES, ...TUNNELS, ...HEALTH, ...KEYS };
