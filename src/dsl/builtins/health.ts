import { objectOf, optional } from "../shape/object.js";
import { number, reportKind, type Shape, text } from "../shape/shape.js";
import type { SurfaceHealth } from "../surface.js";

const options = objectOf({
  target: optional(text),
  style: optional(text),
  interval: optional(text),
  timeout: optional(text),
  up: optional(number),
  down: optional(number),
});

/** `health` of a tunnel: what is asked of its router, or a word that nothing is. */
export const health: Shape<SurfaceHealth> = (value, what, diagnostics) => {
  if (value.kind === "string") return { kind: "word", value: value.value, span: value.span };
  if (value.kind !== "object") return reportKind(value, what, 'an object or "off"', diagnostics);
  const read = options(value, what, diagnostics);
  return read && { kind: "probes", ...read };
};
