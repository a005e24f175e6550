import { createHash } from "node:crypto";
import { formatAddress } from "../compiler/ir/address.js";
import type { Tunnel } from "../compiler/ir/policy.js";

/** Names of kernel objects that compiler and runtime share. Every generated name has a prefix of its own. */

/** IFNAMSIZ is 16, with the closing NUL (linux/if.h). */
const DEVICE_NAME_MAX = 15;

/** The customer's end of its link to the default namespace. */
export const EDGE_LINK = "edge";

export function namespaceName(customer: string): string {
  return `tg-${customer}`;
}

/** The default namespace's end of the customer's link. */
export function linkName(customer: string): string {
  return deviceName("tg-", customer);
}

/**
 * A tunnel's device in the customer's namespace, named after its endpoint: the kernel has one device for an endpoint. So
 * a tunnel that leads elsewhere is another device, which stands beside the old one while a change is made, and a tunnel that
 * leads where one did before is the same, whatever it is called.
 */
export function tunnelDevice(tunnel: Endpoint): string {
  return `gre-${hash(endpointOf(tunnel), 8)}`;
}

/** A tunnel's veth end in the default namespace, for kernels without GRE. Of all customers of a node no two meet. */
export function tunnelPeer(customer: string, tunnel: Endpoint): string {
  return `tg-${hash(`${customer} ${endpointOf(tunnel)}`, 12)}`;
}

type Endpoint = Pick<Tunnel, "kind" | "remote" | "key">;

/** What tells a node's tunnels apart: no two may have the same. */
function endpointOf({ kind, remote, key }: Endpoint): string {
  const end = `${formatAddress(remote)} ${key ?? "without a key"}`;
  return kind === "gre" ? end : `${kind} ${end}`;
}

/** `prefix` + `name`, or where that is too long a part of it with a hash, so that names stay distinct. */
function deviceName(prefix: string, name: string): string {
  if (prefix.length + name.length <= DEVICE_NAME_MAX) return prefix + name;
  const tag = hash(name, 6);
  const room = DEVICE_NAME_MAX - prefix.length - 1 - tag.length;
  return `${prefix}${name.slice(0, room)}-${tag}`;
}

function hash(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
