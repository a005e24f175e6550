import type { Target } from "../target.js";
import { emit } from "./emit.js";

/** Tunnel devices and the routes that lead into them, as text for `ip -batch`. */
export const route: Target = {
  name: "route",
  // Bounds of the kernel's (mtu, ttl, key, metric) are those of the language; the passes refuse the rest.
  check: () => {},
  emit,
};
