import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, UNNAMED_LIST, type Value } from "../evaluate/value.js";
import { arrayOf, text } from "../shape/shape.js";
import { readArguments } from "./arguments.js";

/** `list([...])`. Its name is given when a constant takes it. */
export function makeList(call: Call, diagnostics: Diagnostics): Value {
  const items = readArguments("list", call, { items: arrayOf(text) }, diagnostics)?.items;
  return items
    ? { kind: "list", list: { name: UNNAMED_LIST, items, span: call.span }, span: call.span }
    : errorValue(call.span);
}
