import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { BuiltinName, Call, Value } from "../evaluate/value.js";
import { makeEdge } from "./edge.js";
import { makeList } from "./list.js";
import { makePolicy } from "./policy.js";
import { makeLimit, makeLog, makeRule } from "./rules.js";
import { makeGre, makeIpip } from "./tunnels.js";

type Make = (call: Call, diagnostics: Diagnostics) => Value;

/** What each function of "tidegate" makes of a call. `expr` is a template tag, see expr.ts. */
const FUNCTIONS: { readonly [N in Exclude<BuiltinName, "expr">]: Make } = {
  policy: makePolicy,
  edge: makeEdge,
  list: makeList,
  allow: (call, diagnostics) => makeRule("allow", call, diagnostics),
  drop: (call, diagnostics) => makeRule("drop", call, diagnostics),
  reject: (call, diagnostics) => makeRule("reject", call, diagnostics),
  limit: makeLimit,
  count: (call, diagnostics) => makeRule("count", call, diagnostics),
  log: makeLog,
  gre: makeGre,
  ipip: makeIpip,
};

export function callBuiltin(name: keyof typeof FUNCTIONS, call: Call, diagnostics: Diagnostics): Value {
  return FUNCTIONS[name](call, diagnostics);
}

/** Everything that "tidegate" exports as a value. */
export const BUILTIN_NAMES = [...(Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[]), "expr"] as const;

/** Types that "tidegate" exports: they say nothing at run time, and nothing here. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...[
    "Policy",
    "PolicyOptions",
    "FirewallOptions",
    "Rule",
    "FirewallRule",
    "Verdict",
    "LimitOptions",
    "LogOptions",
    "Offload",
    "Datapath",
    "LimitKey",
    "Rate",
    "List",
    "Expr",
  ],
  ...[
    "Interpolable",
    "Tunnel",
    "TunnelOptions",
    "GreOptions",
    "IpipOptions",
    "HealthOptions",
    "NoLiveTunnel",
    "Duration",
    "RouteOptions",
    "TestOptions",
    "Edge",
    "EdgeOptions",
    "TrustedKey",
    "Prefix",
  ],
]);
