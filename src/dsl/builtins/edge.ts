import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { objectOf, planned, required } from "../shape/object.js";
import { arrayOf, recordOf, text } from "../shape/shape.js";
import { readArguments } from "./arguments.js";

const options = objectOf({
  uplinks: required(arrayOf(text)),
  anycast: required(arrayOf(text)),
  owners: required(recordOf(arrayOf(text))),
  servers: planned,
  store: planned,
  trust: planned,
});

/** `edge({ uplinks, anycast, owners })`. */
export function makeEdge(call: Call, diagnostics: Diagnostics): Value {
  const read = readArguments("edge", call, { options }, diagnostics)?.options;
  if (!read) return errorValue(call.span);
  const owners = read.owners.map(({ name, value }) => ({ customer: name, prefixes: value }));
  const { uplinks, anycast } = read;
  return { kind: "edge", span: call.span, edge: { span: call.span, uplinks, anycast, owners } };
}
