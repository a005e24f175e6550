import { formatPrefix } from "../../compiler/ir/address.js";
import type { Policy, Route } from "../../compiler/ir/policy.js";
import { type Nexthops, nexthops } from "./nexthops.js";
import { deviceOf } from "./tunnels.js";

/** Metrics are 32 bits; the largest is tried last. */
const LAST_METRIC = 0xffff_ffff;

/**
 * The customer's routing table, for `ip -batch` in its namespace; the runtime puts the number of an empty table for
 * `$table`. It ends in a blackhole, so that a lookup never goes on to another table: without a route of the policy a
 * packet is dropped (docs/semantics.md, "Routes").
 */
export function routeLines(policy: Policy): readonly string[] {
  const closed = ["0.0.0.0/0", "::/0"].map(
    (all) => `route add blackhole ${all} metric ${LAST_METRIC} table $table`,
  );
  const { groups, groupOf } = nexthops(policy);
  const open = [...policy.routes].sort(compareRoutes).map((route) => routeLine(policy, route, groupOf));
  // Closed first: while the table fills, what has no route yet is dropped. Routes that share a group are one.
  return [...closed, ...groups, ...new Set(open)];
}

/** IPv6 takes metric 0 for "the default", 1024 (ip6_route_info_create), so metrics count from 1. */
function routeLine(policy: Policy, route: Route, groupOf: Nexthops["groupOf"]): string {
  const { prefix, tunnel, priority } = route;
  const group = groupOf.get(route);
  const way = group === undefined ? `dev ${deviceOf(policy, tunnel)}` : `nhid ${group}`;
  return `route add ${formatPrefix(prefix)} ${way} metric ${priority + 1} table $table`;
}

/** By address, then by metric: the order in which a reader looks for one. */
function compareRoutes(a: Route, b: Route): number {
  if (a.prefix.family !== b.prefix.family) return a.prefix.family - b.prefix.family;
  if (a.prefix.base !== b.prefix.base) return a.prefix.base < b.prefix.base ? -1 : 1;
  return a.prefix.length - b.prefix.length || a.priority - b.priority;
}
