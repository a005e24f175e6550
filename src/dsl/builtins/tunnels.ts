import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { elsewhere, objectOf, optional, planned, required } from "../shape/object.js";
import { number, numberOrText, text } from "../shape/shape.js";
import { readArguments } from "./arguments.js";
import { health } from "./health.js";

const OUTER = {
  remote: required(text),
  ttl: optional(numberOrText),
  mtu: optional(number),
  dscp: optional(numberOrText),
  df: optional(text),
  mss: optional(numberOrText),
  health: optional(health),
  local: planned,
};

const greOptions = objectOf({ ...OUTER, key: optional(number), checksum: planned, sequence: planned });

const ipipOptions = objectOf({ ...OUTER, key: elsewhere("`gre`") });

/** `gre({ remote, key?, ttl?, mtu?, dscp?, df?, mss?, health? })`. Its name is the property of `tunnels` that takes it. */
export function makeGre(call: Call, diagnostics: Diagnostics): Value {
  const tunnel = readArguments("gre", call, { options: greOptions }, diagnostics)?.options;
  return tunnel
    ? { kind: "tunnel", tunnel: { ...tunnel, kind: "gre", span: call.span }, span: call.span }
    : errorValue(call.span);
}

/** `ipip({ remote, ttl?, mtu?, dscp?, df?, mss?, health? })`. */
export function makeIpip(call: Call, diagnostics: Diagnostics): Value {
  const tunnel = readArguments("ipip", call, { options: ipipOptions }, diagnostics)?.options;
  return tunnel
    ? { kind: "tunnel", tunnel: { ...tunnel, kind: "ipip", key: null, span: call.span }, span: call.span }
    : errorValue(call.span);
}
