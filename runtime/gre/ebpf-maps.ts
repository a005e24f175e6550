import { addressBytes } from "../prefix.js";
import type { TunnelRow } from "./driver.js";

/** Keys and values of the maps of bpf-templates/gre-maps.h, byte for byte. Network order but for `ifindex`, flags. */

export function ifindexKey(ifindex: number): Uint8Array {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(ifindex);
  return key;
}

/** struct gre_tunnel */
export function tunnelValue(tunnel: TunnelRow, anycast: string): Uint8Array {
  const { kind, ttl, dscp, df } = tunnel;
  if (kind !== "gre" || ttl === "inherit" || dscp !== "inherit" || df !== "set")
    throw new Error(`without the kernel's own devices there is only GRE over IPv4 with a TTL of its own`);
  const flags = Uint8Array.of(tunnel.key === null ? 0 : 1, ttl, 0, 0);
  return Buffer.concat([ipv4(anycast), ipv4(tunnel.remote), greKey(tunnel), flags]);
}

/** struct gre_endpoint */
export function endpointKey(tunnel: TunnelRow, anycast: string): Uint8Array {
  const hasKey = ifindexKey(tunnel.key === null ? 0 : 1);
  return Buffer.concat([ipv4(anycast), ipv4(tunnel.remote), greKey(tunnel), hasKey]);
}

/** struct gre_device */
export function deviceValue(ifindex: number, destination: string, source: string): Uint8Array {
  return Buffer.concat([ifindexKey(ifindex), mac(destination), mac(source)]);
}

function greKey({ key }: TunnelRow): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(key ?? 0);
  return bytes;
}

function ipv4(text: string): Uint8Array {
  const bytes = addressBytes(text);
  if (bytes?.length !== 4) throw new Error(`\`${text}\` is not an IPv4 address`);
  return bytes;
}

function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}
