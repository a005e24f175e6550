import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { objectOf, optional, planned, required } from "../shape/object.js";
import { arrayOf, recordOf, text } from "../shape/shape.js";
import { readArguments } from "./arguments.js";

const trustedKey = objectOf({
  key: required(text),
  customers: optional(arrayOf(text)),
});

const options = objectOf({
  uplinks: required(arrayOf(text)),
  anycast: required(arrayOf(text)),
  owners: required(recordOf(arrayOf(text))),
  keys: optional(recordOf(trustedKey)),
  servers: planned,
  store: planned,
});

/** `edge({ uplinks, anycast, owners, keys? })`. */
export function makeEdge(call: Call, diagnostics: Diagnostics): Value {
  const read = readArguments("edge", call, { options }, diagnostics)?.options;
  if (!read) return errorValue(call.span);
  const owners = read.owners.map(({ name, value }) => ({ customer: name, prefixes: value }));
  const keys = read.keys?.map(({ name, value }) => ({ ...value, name })) ?? null;
  const { uplinks, anycast } = read;
  return { kind: "edge", span: call.span, edge: { span: call.span, uplinks, anycast, owners, keys } };
}
