import { type Address, addressBytes } from "../ir/address.js";
import type { Tunnel } from "../ir/policy.js";
import { viewOf } from "./bytes.js";
import { writeHeaderChecksum } from "./checksum.js";

/** What of a tunnel is written before its packets. */
export type OuterHeader = Pick<Tunnel, "remote" | "ttl" | "key">;

const GRE = 47;
const KEY_PRESENT = 0x2000;
const DONT_FRAGMENT = 0x4000;
const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const;

/**
 * What an edge server sends by the fast path (docs/semantics.md): GRE over IPv4 (RFC 2784, RFC 2890) around the packet, which is
 * one hop older (RFC 1812, section 5.3.1). `packet` is as it arrived, from its IP header to the end of its own length; `source`
 * is the servers' anycast address.
 */
export function encapsulated(packet: Uint8Array, tunnel: OuterHeader, source: Address): Uint8Array {
  const inner = oneHopOlder(packet);
  const family = (inner[0] ?? 0) >> 4 === 6 ? 6 : 4;
  const size = tunnel.key === null ? 24 : 28;
  const bytes = new Uint8Array(size + inner.length);
  const view = viewOf(bytes);
  bytes.set([0x45, outerTos(trafficClass(inner, family))]);
  view.setUint16(2, bytes.length);
  view.setUint16(6, DONT_FRAGMENT);
  bytes.set([Number(tunnel.ttl), GRE], 8);
  bytes.set(addressBytes(source), 12);
  bytes.set(addressBytes(tunnel.remote), 16);
  writeHeaderChecksum(bytes);
  view.setUint16(20, tunnel.key === null ? 0 : KEY_PRESENT);
  view.setUint16(22, ETHERTYPE[family]);
  if (tunnel.key !== null) view.setUint32(24, tunnel.key);
  bytes.set(inner, size);
  return bytes;
}

function oneHopOlder(packet: Uint8Array): Uint8Array {
  const inner = packet.slice();
  const isIpv6 = (inner[0] ?? 0) >> 4 === 6;
  const hops = isIpv6 ? 7 : 8;
  inner[hops] = (inner[hops] ?? 0) - 1;
  if (!isIpv6) writeHeaderChecksum(inner);
  return inner;
}

function trafficClass(inner: Uint8Array, family: 4 | 6): number {
  return family === 4 ? (inner[1] ?? 0) : (viewOf(inner).getUint16(0) >> 4) & 0xff;
}

/** "Congestion experienced" inside is "ECN capable" outside (RFC 3168, section 9.1.1). */
function outerTos(tos: number): number {
  return (tos & 3) === 3 ? (tos & ~3) | 2 : tos;
}
