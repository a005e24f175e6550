import { addressBytes, type Family } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";

/** What should leave an edge server: written anew from RFC 2784, RFC 2890, RFC 3168 and RFC 1812, and not from the templates. */
export interface OuterWay {
  /** Ethernet addresses, as `02:…`. */
  readonly source: string;
  readonly nextHop: string;
  /** The outer source. */
  readonly anycast: string;
}

const GRE = 47;
const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const satisfies Record<Family, number>;

/** The frame that carries `packet` (from its IP header on, padding cut off) through a tunnel. */
export function outerFrame(packet: Uint8Array, tunnel: Tunnel, way: OuterWay): Buffer {
  const inner = oneHopLess(packet);
  const family = (inner[0] ?? 0) >> 4 === 6 ? 6 : 4;
  const gre = Buffer.alloc(tunnel.key === null ? 4 : 8);
  if (tunnel.key !== null) {
    gre.writeUInt16BE(0x2000, 0);
    gre.writeUInt32BE(tunnel.key, 4);
  }
  gre.writeUInt16BE(ETHERTYPE[family], 2);
  const outer = Buffer.alloc(20);
  outer.writeUInt8(0x45, 0);
  outer.writeUInt8(outerTos(tosOf(inner, family)), 1);
  outer.writeUInt16BE(20 + gre.length + inner.length, 2);
  outer.writeUInt16BE(0x4000, 6);
  outer.writeUInt8(Number(tunnel.ttl), 8);
  outer.writeUInt8(GRE, 9);
  outer.set(way.anycast.split(".").map(Number), 12);
  outer.set(addressBytes(tunnel.remote), 16);
  outer.writeUInt16BE(checksum(outer), 10);
  const ethernet = [...mac(way.nextHop), ...mac(way.source), 0x08, 0x00];
  return Buffer.concat([Uint8Array.from(ethernet), outer, gre, inner]);
}

function oneHopLess(packet: Uint8Array): Buffer {
  const inner = Buffer.from(packet);
  if ((inner[0] ?? 0) >> 4 === 6) {
    inner.writeUInt8(inner.readUInt8(7) - 1, 7);
    return inner;
  }
  inner.writeUInt8(inner.readUInt8(8) - 1, 8);
  inner.writeUInt16BE(0, 10);
  inner.writeUInt16BE(checksum(inner.subarray(0, 20)), 10);
  return inner;
}

function tosOf(inner: Buffer, family: Family): number {
  return family === 4 ? inner.readUInt8(1) : (inner.readUInt16BE(0) >> 4) & 0xff;
}

/** "Congestion experienced" inside is "ECN capable" outside. */
function outerTos(tos: number): number {
  return (tos & 3) === 3 ? (tos & ~3) | 2 : tos;
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function mac(text: string): readonly number[] {
  return text.split(":").map((part) => Number.parseInt(part, 16));
}
