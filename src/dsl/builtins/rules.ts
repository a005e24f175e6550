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

const logOptions = objectOf({ sample: optional(number) });

/** `drop(name, match)` and its like. */
export function makeRule(
  action: Exclude<SurfaceRule["action"], "limit" | "log">,
  call: Call,
  diagnostics: Diagnostics,
): Value {
  const args = readArguments(action, call, { name: text, match: filter }, diagnostics);
  const { name, match } = args ?? {};
  return name && match ? ruleValue({ ...PLAIN, action, name, match, span: call.span }) : brokenRule(call);
}

/** `limit(name, match, { rate, burst?, per? })`. */
export function makeLimit(call: Call, diagnostics: Diagnostics): Value {
  const shapes = { name: text, match: filter, options: limitOptions };
  const { name, match, options } = readArguments("limit", call, shapes, diagnostics) ?? {};
  return name && match && options
    ? ruleValue({ ...PLAIN, action: "limit", name, match, limit: options, span: call.span })
    : brokenRule(call);
}

/** `log(name, match, { sample? })`; the options as a whole may be left out. */
export function makeLog(call: Call, diagnostics: Diagnostics): Value {
  const shapes = { name: text, match: filter, options: logOptions };
  const { name, match, options } = readArguments("log", call, shapes, diagnostics, { optional: 1 }) ?? {};
  const unread = call.args.length > 2 && !options;
  return name && match && !unread
    ? ruleValue({ ...PLAIN, action: "log", name, match, sample: options?.sample ?? null, span: call.span })
    : brokenRule(call);
}

/** A rule without options. */
const PLAIN = { limit: null, sample: null } as const;

function ruleValue(rule: SurfaceRule): Value {
  return { kind: "rule", rule, span: rule.span };
}

function brokenRule(call: Call): Value {
  return { kind: "rule", rule: null, span: call.span };
}

/** A rule; one whose parts could not all be read is reported already. */
const rule: Shape<SurfaceRule> = (value, what, diagnostics) => {
  if (value.kind === "rule") return value.rule ?? undefined;
  return reportKind(value, what, "a rule", diagnostics, "write one such as drop(…) or allow(…)");
};

export const rules = severalOf(rule, "an array of rules");
