import type { SurfacePolicy, SurfaceRule } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Geography } from "../ir/geography.js";
import type { Policy, Stage } from "../ir/policy.js";
import { readDatapath } from "./datapath.js";
import { placeAddresses } from "./geography.js";
import { readNoLiveTunnel, reportUnasked } from "./health.js";
import { readLists } from "./lists.js";
import { checkNames, checkReferences } from "./names.js";
import { readOffload } from "./offload.js";
import { readOwnedPrefixes } from "./prefixes.js";
import { readRoutes } from "./routes.js";
import { type RuleContext, readRule } from "./rules.js";
import { readTests, readVerdict } from "./tests.js";
import { readTunnels } from "./tunnels.js";

/**
 * Gives a policy its meaning. Reports every mistake, and is undefined if there is any, reported here or before.
 * A surface tree that was reported on may lack parts: then a missing rule or tunnel is no mistake of its own.
 */
export function buildPolicy(
  written: SurfacePolicy,
  diagnostics: Diagnostics,
  geography?: Geography,
): Policy | undefined {
  const { surface, lists: places } = placeAddresses(written, geography, diagnostics);
  const { customer, firewall, unread } = surface;
  checkNames(surface, diagnostics);
  checkReferences(surface, diagnostics);
  const owner = { what: "policy", span: surface.span, complete: !unread.has("prefixes") };
  const prefixes = readOwnedPrefixes(owner, surface.prefixes, diagnostics);
  const lists = readLists(surface, places, diagnostics);
  // With one of them unreadable, nothing can be said to lie outside.
  const known = owner.complete && prefixes.length === surface.prefixes.length ? prefixes : [];
  const read = (stage: Stage, rules: readonly SurfaceRule[]) => {
    const context: RuleContext = { stage, stateful: firewall.stateful, prefixes: known, lists };
    return rules.flatMap((rule) => readRule(rule, context, diagnostics) ?? []);
  };
  const mitigate = read("mitigate", surface.mitigate);
  const byDefault = firewall.default && readVerdict("default", firewall.default, diagnostics);
  const rules = read("firewall", firewall.rules);
  const offload = firewall.offload ? readOffload(firewall.offload, diagnostics) : "auto";
  if (firewall.stateful?.value) diagnostics.report("TG3007", firewall.stateful.span, {});
  const tunnels = readTunnels(surface, prefixes, diagnostics);
  const routes = readRoutes(surface, known, diagnostics);
  if (!unread.has("routes") && !unread.has("tunnels")) reportUnasked(surface, tunnels, routes, diagnostics);
  const noLiveTunnel = surface.noLiveTunnel
    ? readNoLiveTunnel(surface.noLiveTunnel, surface, diagnostics)
    : "blackhole";
  const tests = readTests(surface, diagnostics);
  const datapath = surface.datapath ? readDatapath(surface.datapath, surface, diagnostics) : "auto";

  if (diagnostics.hasErrors || !customer || !byDefault) return undefined;
  if (!offload || !datapath || !noLiveTunnel) return undefined;
  return {
    span: surface.span,
    customer: customer.value,
    prefixes,
    mitigate,
    firewall: { default: byDefault, rules, stateful: firewall.stateful?.value === true, offload },
    datapath,
    lists: [...lists.values()].flatMap((list) => list ?? []),
    tunnels,
    routes,
    noLiveTunnel,
    tests,
  };
}
