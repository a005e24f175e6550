import { type Address, prefixContainsAddress } from "../ir/address.js";
import type { Policy, Route } from "../ir/policy.js";

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

/** Whether `address` lies in one of the customer's own prefixes. */
export function owns(policy: Policy, address: Address): boolean {
  return policy.prefixes.some(({ prefix }) => prefixContainsAddress(prefix, address));
}
