import { createHash } from "node:crypto";

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

/** A tunnel's device in the customer's namespace. */
export function tunnelDevice(tunnel: string): string {
  return deviceName("gre-", tunnel);
}

/** A tunnel's veth end in the default namespace, for kernels without GRE. */
export function tunnelPeer(customer: string, tunnel: string): string {
  return deviceName("tg-", `${customer}-${tunnel}`);
}

/** `prefix` + `name`, or where that is too long a part of it with a hash, so that names stay distinct. */
function deviceName(prefix: string, name: string): string {
  if (prefix.length + name.length <= DEVICE_NAME_MAX) return prefix + name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 6);
  const room = DEVICE_NAME_MAX - prefix.length - 1 - hash.length;
  return `${prefix}${name.slice(0, room)}-${hash}`;
}
