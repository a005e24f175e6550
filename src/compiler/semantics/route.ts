import { type Address, prefixContainsAddress } from "../ir/address.js";
import type { Policy, Route } from "../ir/policy.js";

/** The route of the longest prefix that holds `destination`; among those, the lowest priority. */
export function chooseRoute(policy: Policy, destination: Address): Route | undefined {
  return policy.routes
    .filter((route) => prefixContainsAddress(route.prefix, destination))
    .sort((a, b) => b.prefix.length - a.prefix.length || a.priority - b.priority)[0];
}

/** Whether `address` lies in one of the customer's own prefixes. */
export function owns(policy: Policy, address: Address): boolean {
  return policy.prefixes.some(({ prefix }) => prefixContainsAddress(prefix, address));
}
