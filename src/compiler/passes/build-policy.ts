import type { SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Policy } from "../ir/policy.js";
import { readLists } from "./lists.js";
import { checkNames, checkReferences } from "./names.js";
import { readOwnedPrefixes } from "./prefixes.js";
import { readRoutes } from "./routes.js";
import { type RuleContext, readRule } from "./rules.js";
import { readTests, readVerdict } from "./tests.js";
import { readTunnels } from "./tunnels.js";

/**
 * Gives a policy its meaning. Reports every mistake, and is undefined if there is any, reported here or before.
 * A surface tree that was reported on may lack parts: then a missing rule or tunnel is no mistake of its own.
 */
export function buildPolicy(surface: SurfacePolicy, diagnostics: Diagnostics): Policy | undefined {
  if (!diagnostics.hasErrors) checkReferences(surface, diagnostics);
  checkNames(surface, diagnostics);
  const prefixes = readOwnedPrefixes({ what: "policy", span: surface.span }, surface.prefixes, diagnostics);
  const lists = readLists(surface, diagnostics);
  // With one of them unreadable, nothing can be said to lie outside.
  const known = prefixes.length === surface.prefixes.length ? prefixes : [];
  const context: RuleContext = { prefixes: known, lists };
  const mitigate = surface.mitigate.flatMap((rule) => readRule(rule, context, diagnostics) ?? []);
  const byDefault = readVerdict("default", surface.firewall.default, diagnostics);
  const rules = surface.firewall.rules.flatMap((rule) => readRule(rule, context, diagnostics) ?? []);
  const tunnels = readTunnels(surface, prefixes, diagnostics);
  const routes = readRoutes(surface, known, diagnostics);
  const tests = readTests(surface, diagnostics);

  if (diagnostics.hasErrors || byDefault === undefined) return undefined;
  return {
    span: surface.span,
    customer: surface.customer.value,
    prefixes,
    mitigate,
    firewall: { default: byDefault, rules },
    lists: [...lists.values()].flatMap((list) => list ?? []),
    tunnels,
    routes,
    tests,
  };
}
