import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Family } from "../../compiler/ir/address.js";
import { equalRoutes, type Policy, type Route } from "../../compiler/ir/policy.js";
import { deviceOf } from "./tunnels.js";

/**
 * Routes that share their packets lead to a nexthop group of the kernel, which chooses a tunnel for each flow
 * (Documentation/networking/nexthop-group-resilient.rst). Nexthops have numbers in a namespace, and an IPv6 route takes
 * no IPv4 ones (fib6_check_nexthop), so each family has its own. A group has no family.
 */
export interface Nexthops {
  /** For `ip -4 -batch` or `ip -6 -batch`: the nexthop of each tunnel that shares. */
  readonly devices: Readonly<Record<Family, readonly string[]>>;
  /** For `ip -batch`, behind those. */
  readonly groups: readonly string[];
  /** The id of the group of a route that shares its packets with others. */
  readonly groupOf: ReadonlyMap<Route, string>;
}

/**
 * A flow keeps its tunnel as long as it sends something every so many seconds, whatever becomes of the other tunnels of
 * its group. Where flows never rest, shares that are not as they should be are enforced after a minute.
 */
const TIMERS = "idle_timer 20 unbalanced_timer 60";

/** At least so many buckets, among which flows are spread by hash: one more or less is under a hundredth. */
const LEAST_BUCKETS = 128;

/** Groups of the same tunnels and weights are one. */
export function nexthops(policy: Policy): Nexthops {
  const devices: Record<Family, string[]> = { 4: [], 6: [] };
  const groups: string[] = [];
  const groupOf = new Map<Route, string>();
  const ids = new Map<string, string>();
  const idOf = (lines: string[], family: Family, what: string): string => {
    const key = `${family} ${what}`;
    const id = ids.get(key) ?? nexthopId(ids.size + 1);
    if (!ids.has(key)) lines.push(`nexthop add id ${id} ${what}`);
    ids.set(key, id);
    return id;
  };
  for (const equal of equalRoutes(policy.routes)) {
    const [first, ...others] = equal;
    if (!first || others.length === 0) continue;
    const { family } = first.prefix;
    // By name, whatever the order in the policy: a group's buckets go by the order of its members, and flows by buckets.
    const byName = [...equal].sort((a, b) => (a.tunnel < b.tunnel ? -1 : 1));
    const members = byName.map(({ tunnel, weight }) => {
      return `${idOf(devices[family], family, `dev ${deviceOf(policy, tunnel)}`)},${weight}`;
    });
    const kind = `type resilient buckets ${bucketsOf(equal)} ${TIMERS}`;
    const group = idOf(groups, family, `group ${members.join("/")} ${kind}`);
    for (const route of equal) groupOf.set(route, group);
  }
  return { devices, groups, groupOf };
}

/** The runtime puts its table's number for `$table`, so that the nexthops of two generations stand side by side. */
function nexthopId(index: number): string {
  // What a policy may say ends long before (dsl/evaluate): an id has 32 bits, and the number of a table four digits.
  invariant(index < 1_000_000, "a policy has fewer than a million nexthops");
  return `$table${String(index).padStart(6, "0")}`;
}

/** A multiple of all weights together, so that each tunnel has its share of buckets exactly. */
function bucketsOf(equal: readonly Route[]): number {
  const weights = equal.map(({ weight }) => weight);
  const common = weights.reduce(greatestCommonDivisor);
  const parts = weights.reduce((sum, weight) => sum + weight / common, 0);
  return parts * Math.ceil(LEAST_BUCKETS / parts);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
