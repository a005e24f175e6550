import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { objectOf, optional, planned, required } from "../shape/object.js";
import { number, text } from "../shape/shape.js";
import { readArguments } from "./arguments.js";
import { health } from "./health.js";

const options = objectOf({
  remote: required(text),
  ttl: optional(number),
  mtu: optional(number),
  key: optional(number),
  health: optional(health),
  local: planned,
  checksum: planned,
  sequence: planned,
});

/** `gre({ remote, ttl?, mtu?, key?, health? })`. Its name is the property of `tunnels` that takes it. */
export function makeGre(call: Call, diagnostics: Diagnostics): Value {
  const tunnel = readArguments("gre", call, { options }, diagnostics)?.options;
  return tunnel
    ? { kind: "tunnel", tunnel: { ...tunnel, span: call.span }, span: call.span }
    : errorValue(call.span);
}
