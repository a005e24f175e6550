import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { objectOf, optional, planned, required } from "../shape/object.js";
import { arrayOf, number, recordOf, reportKind, type Shape, text, textExcept } from "../shape/shape.js";
import type { SurfaceRule, SurfaceTest, SurfaceTunnel } from "../surface.js";
import { readArguments } from "./arguments.js";
import { rules } from "./rules.js";

const verdict = textExcept(["reject"]);

const firewall = objectOf({
  default: required(verdict),
  rules: required(rules),
  stateful: planned,
});

const tunnel: Shape<Omit<SurfaceTunnel, "name">> = (value, what, diagnostics) =>
  value.kind === "tunnel" ? value.tunnel : reportKind(value, what, "a tunnel", diagnostics, "write gre({…})");

const route = objectOf({
  prefix: required(text),
  tunnel: required(text),
  priority: optional(number),
  weight: optional(number),
});

const test = objectOf({
  packet: required(text),
  expect: required(verdict),
  rule: optional(text),
});

const options = objectOf({
  customer: required(text),
  prefixes: required(arrayOf(text)),
  mitigate: optional(rules),
  firewall: required(firewall),
  tunnels: optional(recordOf(tunnel)),
  routes: optional(arrayOf(route)),
  tests: optional(arrayOf(test)),
  offload: planned,
});

/**
 * `policy({...})`. A policy some of whose rules could not be read still comes out, without them: what is
 * wrong is reported, and later stages can report on the rest in the same run.
 */
export function makePolicy(call: Call, diagnostics: Diagnostics): Value {
  const read = readArguments("policy", call, { options }, diagnostics)?.options;
  if (!read) return errorValue(call.span);
  const mitigate = read.mitigate ?? { rules: [], complete: true };
  const all = [...mitigate.rules, ...read.firewall.rules.rules];
  const complete = mitigate.complete && read.firewall.rules.complete;
  const tests = read.tests ?? [];
  return {
    kind: "policy",
    span: call.span,
    policy: {
      span: call.span,
      customer: read.customer,
      prefixes: read.prefixes,
      mitigate: mitigate.rules,
      firewall: { ...read.firewall, rules: read.firewall.rules.rules },
      tunnels: (read.tunnels ?? []).map(({ name, value }) => ({ ...value, name })),
      routes: read.routes ?? [],
      tests: complete ? tests : tests.filter((one) => namesRuleOf(one, all)),
    },
  };
}

/** A test of a rule that was left out would be reported again, as naming no rule. */
function namesRuleOf(test: SurfaceTest, all: readonly SurfaceRule[]): boolean {
  return test.rule === null || all.some((rule) => rule.name.value === test.rule?.value);
}
