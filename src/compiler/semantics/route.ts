import { type Address, prefixContains, prefixContainsAddress } from "../ir/address.js";
import type { NoLiveTunnel, Policy, Route } from "../ir/policy.js";

/**
 * The routes that a packet to `destination` may take: of the longest prefix that holds it, those of the lowest priority.
 * Among several the kernel chooses, by the packet's flow and their weights. None: it is dropped.
 */
export function chooseRoutes(policy: Policy, destination: Address): readonly Route[] {
  const better = (a: Route, b: Route) => b.prefix.length - a.prefix.length || a.priority - b.priority;
  const holding = policy.routes.filter((route) => prefixContainsAddress(route.prefix, destination));
  const [best] = [...holding].sort(better);
  return best ? holding.filter((route) => better(route, best) === 0) : [];
}

/**
 * What becomes of packets that may take these routes, which are of one prefix, while no tunnel lives that a route to their addresses
 * leads into. null: one of these always counts as live, as nobody asks its router.
 */
export function withoutLiveTunnel(policy: Policy, [first]: readonly Route[]): NoLiveTunnel | null {
  if (!first) return null;
  const holding = policy.routes.filter(({ prefix }) => prefixContains(prefix, first.prefix));
  const asked = new Set(policy.tunnels.filter(({ health }) => health).map(({ name }) => name));
  return holding.every(({ tunnel }) => asked.has(tunnel)) ? policy.noLiveTunnel : null;
}

/** Whether `address` lies in one of the customer's own prefixes. */
export function owns(policy: Policy, address: Address): boolean {
  return policy.prefixes.some(({ prefix }) => prefixContainsAddress(prefix, address));
}
