import { mac, u32 } from "../netlink/message.js";
import { addressBytes } from "../prefix.js";
import type { TunnelRow } from "./driver.js";

/** Keys and values of the maps of bpf-templates/gre-maps.h, byte for byte. Network order but for `ifindex`. */

export function ifindexKey(ifindex: number): Uint8Array {
  return u32(ifindex);
}

/** struct gre_tunnel */
export function tunnelValue(tunnel: TunnelRow, anycast: string): Uint8Array {
  const { ttl, dscp, df } = tunnel;
  const how = [
    ttl === "inherit" ? INHERITED_TTL : ttl,
    dscp === "inherit" ? TOS_INHERIT : dscp << DSCP_SHIFT,
    df === "inherit" ? 1 : 0,
    0,
  ];
  return Buffer.concat([endpointKey(tunnel, anycast), Uint8Array.from(how)]);
}

const INHERITED_TTL = 0;
const TOS_INHERIT = 1;
/** DSCP is the upper six bits of the octet (RFC 2474). */
const DSCP_SHIFT = 2;

/** struct gre_endpoint */
export function endpointKey(
  { kind, remote, key }: Pick<TunnelRow, "kind" | "remote" | "key">,
  anycast: string,
): Uint8Array {
  const bytes = Buffer.alloc(ENDPOINT_BYTES);
  bytes.set(mapped(anycast), 0);
  bytes.set(mapped(remote), 16);
  bytes.writeUInt32BE(key ?? 0, 32);
  bytes.writeUInt8(key === null ? 0 : 1, 36);
  bytes.writeUInt8(PROTOCOL[kind], 37);
  return bytes;
}

export const ENDPOINT_BYTES = 40;
/** IPPROTO_GRE and IPPROTO_IPIP of linux/in.h. */
const PROTOCOL = { gre: 47, ipip: 4 } as const satisfies Record<TunnelRow["kind"], number>;

/** A key of `gre_locals`: an address that tunnels end at. */
export function localKey(anycast: string): Uint8Array {
  return mapped(anycast);
}

export const LOCAL_BYTES = 16;

/** struct gre_device */
export function deviceValue(ifindex: number, destination: string, source: string): Uint8Array {
  return Buffer.concat([u32(ifindex), mac(destination), mac(source)]);
}

/** Of IPv4 as `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2). */
function mapped(text: string): Uint8Array {
  const bytes = addressBytes(text.includes(":") ? text : `::ffff:${text}`);
  if (!bytes) throw new Error(`\`${text}\` is not an address`);
  return bytes;
}
