import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Call, Value } from "../evaluate/value.js";
import type { Filter } from "../filter/ast.js";
import { objectOf, optional, planned, required } from "../shape/object.js";
import { number, reportKind, type Shape, severalOf, text } from "../shape/shape.js";
import type { SurfaceLimit, SurfaceRule } from "../surface.js";
import { readArguments } from "./arguments.js";

const filter: Shape<Filter> = (value, what, diagnostics) => {
  if (value.kind === "filter") return value.filter;
  const hint = value.kind === "string" ? "write it as expr`…`" : undefined;
  return reportKind(value, what, "an expression (expr`…`)", diagnostics, hint);
};

const limitOptions: Shape<SurfaceLimit> = objectOf({
  rate: required(text),
  burst: optional(number),
  per: optional(text),
  table: planned,
});

/** `allow(name, match)` and `drop(name, match)`. */
export function makeRule(action: "allow" | "drop", call: Call, diagnostics: Diagnostics): Value {
  const args = readArguments(action, call, { name: text, match: filter }, diagnostics);
  if (!args) return brokenRule(call);
  const { name, match } = args;
  return name && match ? ruleValue({ action, name, match, limit: null, span: call.span }) : brokenRule(call);
}

/** `limit(name, match, { rate, burst?, per? })`. */
export function makeLimit(call: Call, diagnostics: Diagnostics): Value {
  const shapes = { name: text, match: filter, options: limitOptions };
  const args = readArguments("limit", call, shapes, diagnostics);
  if (!args) return brokenRule(call);
  const { name, match, options } = args;
  return name && match && options
    ? ruleValue({ action: "limit", name, match, limit: options, span: call.span })
    : brokenRule(call);
}

function ruleValue(rule: SurfaceRule): Value {
  return { kind: "rule", rule, span: rule.span };
}

function brokenRule(call: Call): Value {
  return { kind: "rule", rule: null, span: call.span };
}

/** A rule; one whose parts could not all be read is reported already. */
const rule: Shape<SurfaceRule> = (value, what, diagnostics) => {
  if (value.kind === "rule") return value.rule ?? undefined;
  return reportKind(value, what, "a rule", diagnostics, "write allow(…), drop(…) or limit(…)");
};

export const rules = severalOf(rule, "an array of rules");
