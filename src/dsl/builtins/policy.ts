import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { type Call, errorValue, type Value } from "../evaluate/value.js";
import { elsewhere, objectOf, optional, partsOf, required } from "../shape/object.js";
import {
  boolean,
  number,
  reportKind,
  type Several,
  type Shape,
  severalNamed,
  severalOf,
  text,
  textToPointInto,
} from "../shape/shape.js";
import type { PolicyPart, SurfaceTunnel } from "../surface.js";
import { readArguments } from "./arguments.js";
import { rules } from "./rules.js";

const firewall = partsOf({
  default: required(text),
  rules: required(rules),
  stateful: optional(boolean),
  offload: optional(text),
  datapath: elsewhere("the policy, beside `firewall`"),
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
  packet: required(textToPointInto),
  expect: required(text),
  rule: optional(text),
});

const options = partsOf({
  customer: required(text),
  prefixes: required(severalOf(text)),
  mitigate: optional(rules),
  firewall: required(firewall),
  datapath: optional(text),
  tunnels: optional(severalNamed(tunnel)),
  routes: optional(severalOf(route)),
  noLiveTunnel: optional(text),
  tests: optional(severalOf(test)),
  ...{ stateful: elsewhere("`firewall`"), offload: elsewhere("`firewall`") },
});

/**
 * `policy({...})`. A policy some of whose parts could not be read still comes out, without them: what is
 * wrong is reported, and later stages can report on the rest in the same run.
 */
export function makePolicy(call: Call, diagnostics: Diagnostics): Value {
  const read = readArguments("policy", call, { options }, diagnostics)?.options;
  if (!read) return errorValue(call.span);
  const { firewall } = read;
  const stateless = firewall && { value: false, span: firewall.span };
  const unread = new Set<PolicyPart>();
  return {
    kind: "policy",
    span: call.span,
    policy: {
      span: call.span,
      customer: read.customer ?? null,
      prefixes: itemsOf("prefixes", read.prefixes),
      mitigate: itemsOf("rules", read.mitigate),
      firewall: {
        default: firewall?.default ?? null,
        rules: itemsOf("rules", firewall?.rules),
        stateful: (firewall?.stateful === null ? stateless : firewall?.stateful) ?? null,
        offload: firewall?.offload ?? null,
      },
      datapath: read.datapath ?? null,
      tunnels: itemsOf("tunnels", read.tunnels).map(({ name, value }) => ({ ...value, name })),
      routes: itemsOf("routes", read.routes),
      noLiveTunnel: read.noLiveTunnel ?? null,
      tests: itemsOf("tests", read.tests),
      unread,
    },
  };

  /** null: the author left the part out. */
  function itemsOf<T>(part: PolicyPart, several: Several<T> | null | undefined): readonly T[] {
    if (several === undefined || several?.complete === false) unread.add(part);
    return several?.items ?? [];
  }
}
