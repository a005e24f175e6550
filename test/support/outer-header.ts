import type { Tunnel } from "../../src/compiler/ir/policy.js";

/** The outer header as it should be, written anew from RFC 2784, 2890, 2003, 2473, 4213 and 3168. */

type Outer = Pick<Tunnel, "kind" | "key" | "ttl" | "dscp" | "df">;

/** What an outer header takes from the packet inside. */
interface Inner {
  readonly length: number;
  readonly family: 4 | 6;
  readonly tos: number;
  readonly ttl: number;
  readonly df: boolean;
}

export function innerOf(packet: Buffer): Inner {
  return packet.readUInt8(0) >> 4 === 6
    ? {
        ...{ length: packet.length, family: 6, df: false },
        ...{ tos: (packet.readUInt16BE(0) >> 4) & 0xff, ttl: packet.readUInt8(7) },
      }
    : {
        ...{ length: packet.length, family: 4, df: (packet.readUInt8(6) & 0x40) !== 0 },
        ...{ tos: packet.readUInt8(1), ttl: packet.readUInt8(8) },
      };
}

/** What stands before the packet inside. What `splitPacket` clears is 0. */
export function outerHeader(inner: Inner, tunnel: Outer, source: Uint8Array, remote: Uint8Array): Buffer {
  const behind = tunnel.kind === "gre" ? greHeader(inner, tunnel.key) : Buffer.alloc(0);
  const protocol = tunnel.kind === "gre" ? 47 : inner.family === 4 ? 4 : 41;
  const hops = tunnel.ttl === "inherit" ? inner.ttl : tunnel.ttl;
  const length = behind.length + inner.length;
  const tos = outerTos(inner, tunnel, source.length === 16);
  const ip =
    source.length === 16
      ? [0x60 | (tos >> 4), (tos & 15) << 4, 0, 0, length >> 8, length & 0xff, protocol, hops]
      : [
          ...[0x45, tos, (20 + length) >> 8, (20 + length) & 0xff],
          ...[0, 0, tunnel.df === "set" || inner.df ? 0x40 : 0, 0, hops, protocol, 0, 0],
        ];
  return Buffer.concat([Buffer.from(ip), source, remote, behind]);
}

function greHeader({ family }: Inner, key: number | null): Buffer {
  const bytes = Buffer.alloc(key === null ? 4 : 8);
  bytes.writeUInt16BE(key === null ? 0 : 0x2000, 0);
  bytes.writeUInt16BE(family === 4 ? 0x0800 : 0x86dd, 2);
  if (key !== null) bytes.writeUInt32BE(key, 4);
  return bytes;
}

/** "Congestion experienced" inside is "ECN capable" outside (RFC 3168, 9.1.1). */
function outerTos({ tos }: Inner, { kind, dscp }: Outer, overIpv6: boolean): number {
  // Linux' ip6gre copies the octet as it is, and has no ECN beside a DSCP of its own.
  if (kind === "gre" && overIpv6) return dscp === "inherit" ? tos : dscp << 2;
  const ecn = (tos & 3) === 3 ? 2 : tos & 3;
  return dscp === "inherit" ? (tos & 0xfc) | ecn : (dscp << 2) | ecn;
}

/** A packet of the wire: its outer header, in which what no RFC fixes is 0, and the packet inside. */
export function splitPacket(
  packet: Buffer,
  { kind, key }: Outer,
): { readonly header: Buffer; readonly inner: Buffer } {
  const isIpv6 = packet.readUInt8(0) >> 4 === 6;
  // A short frame has padding behind the packet.
  const length = isIpv6 ? 40 + packet.readUInt16BE(4) : packet.readUInt16BE(2);
  const at = (isIpv6 ? 40 : 20) + (kind !== "gre" ? 0 : key === null ? 4 : 8);
  const header = Buffer.from(packet.subarray(0, at));
  if (isIpv6) clearFlowLabel(header);
  else clearIdentification(header);
  return { header, inner: packet.subarray(at, length) };
}

function clearFlowLabel(header: Buffer): void {
  header.writeUInt8(header.readUInt8(1) & 0xf0, 1);
  header.writeUInt16BE(0, 2);
}

/** And the checksum that it is part of, which must be right. */
function clearIdentification(header: Buffer): void {
  if (checksum(header.subarray(0, 20)) !== 0) throw new Error("the checksum of an outer header is wrong");
  header.writeUInt16BE(0, 4);
  header.writeUInt16BE(0, 10);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
