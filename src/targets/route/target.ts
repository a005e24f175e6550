import type { Target } from "../target.js";
import { check } from "./check.js";
import { emit } from "./emit.js";

/** Tunnel devices and the routes that lead into them, as text for `ip -batch`. */
export const route: Target = {
  name: "route",
  check,
  emit,
};
