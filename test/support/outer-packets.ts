import { addressBytes, type Family, parseAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";

/**
 * Packets as they are outside of a tunnel, by what it is said to be: from RFC 2784, 2890, 2003, 2473, 4213, 3168 and 6040, and
 * not from the templates. IPv4's identification is zero, and so is IPv6's flow label.
 */

const PROTOCOL = { gre: 47, ipip: { 4: 4, 6: 41 } } as const;
const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const satisfies Record<Family, number>;
const CE = 3;
const ECT0 = 2;
const ECT1 = 1;

/** Which way it goes, and what a test may say of the outer headers besides. */
export interface Outside {
  readonly source: string;
  readonly destination: string;
  /** Bits of the outer octet's lowest two; left out: by the packet inside. */
  readonly ecn?: number;
  /** IPv4 options, a multiple of four bytes. */
  readonly options?: Uint8Array;
  /** An IPv6 extension header: its number, and its bytes, of which the first is written here. */
  readonly extension?: readonly [kind: number, bytes: Uint8Array];
  /** GRE's flags besides the key's, and what they bring along, behind the key. */
  readonly flags?: readonly [bits: number, before: Uint8Array, behind: Uint8Array];
}

export function familyOf(packet: Uint8Array): Family {
  return (packet[0] ?? 0) >> 4 === 6 ? 6 : 4;
}

/** DSCP and ECN of a packet. */
export function tosOf(packet: Uint8Array): number {
  const [first = 0, second = 0] = packet;
  return familyOf(packet) === 4 ? second : ((first << 4) | (second >> 4)) & 0xff;
}

export function outerPacket(inner: Uint8Array, tunnel: Tunnel, outside: Outside): Buffer {
  const inside = familyOf(inner);
  const protocol = tunnel.kind === "gre" ? PROTOCOL.gre : PROTOCOL.ipip[inside];
  const body = Buffer.concat([
    tunnel.kind === "gre" ? greHeader(tunnel, inside, outside) : Buffer.alloc(0),
    inner,
  ]);
  const header = tunnel.remote.family === 4 ? ipv4Header : ipv6Header;
  return Buffer.concat([header(inner, tunnel, outside, protocol, body.length), body]);
}

function greHeader({ key }: Tunnel, inside: Family, { flags }: Outside): Buffer {
  const [bits, before, behind] = flags ?? [0, Buffer.alloc(0), Buffer.alloc(0)];
  const header = Buffer.alloc(4);
  header.writeUInt16BE(bits | (key === null ? 0 : 0x2000), 0);
  header.writeUInt16BE(ETHERTYPE[inside], 2);
  const keyed = Buffer.alloc(key === null ? 0 : 4);
  if (key !== null) keyed.writeUInt32BE(key);
  return Buffer.concat([header, before, keyed, behind]);
}

/** RFC 6040, section 4.1: "congestion experienced" inside is "ECN capable" outside. Linux' ip6gre knows of the octet alone. */
function outerTos(inner: Uint8Array, { kind, remote, dscp }: Tunnel, { ecn }: Outside): number {
  const inside = tosOf(inner);
  const own = dscp === "inherit" ? inside : dscp << 2;
  if (ecn !== undefined) return (own & ~3) | ecn;
  if (kind === "gre" && remote.family === 6) return own;
  return (own & ~3) | ((inside & 3) === CE ? ECT0 : inside & 3);
}

function hopsOf(inner: Uint8Array, { ttl }: Tunnel): number {
  return ttl === "inherit" ? (inner[familyOf(inner) === 4 ? 8 : 7] ?? 0) : ttl;
}

function ipv4Header(
  inner: Uint8Array,
  tunnel: Tunnel,
  outside: Outside,
  protocol: number,
  rest: number,
): Buffer {
  const { options = Buffer.alloc(0) } = outside;
  const header = Buffer.concat([Buffer.alloc(20), options]);
  const isWhole = tunnel.df === "set" || (familyOf(inner) === 4 && ((inner[6] ?? 0) & 0x40) !== 0);
  header.writeUInt8(0x40 | (header.length / 4), 0);
  header.writeUInt8(outerTos(inner, tunnel, outside), 1);
  header.writeUInt16BE(header.length + rest, 2);
  header.writeUInt16BE(isWhole ? 0x4000 : 0, 6);
  header.writeUInt8(hopsOf(inner, tunnel), 8);
  header.writeUInt8(protocol, 9);
  header.set(bytesOf(outside.source), 12);
  header.set(bytesOf(outside.destination), 16);
  return writeChecksum(header);
}

function ipv6Header(
  inner: Uint8Array,
  tunnel: Tunnel,
  outside: Outside,
  protocol: number,
  rest: number,
): Buffer {
  const [kind, extension] = outside.extension ?? [protocol, Buffer.alloc(0)];
  const header = Buffer.concat([Buffer.alloc(40), extension]);
  header.writeUInt32BE(0x60000000 + outerTos(inner, tunnel, outside) * 0x100000, 0);
  header.writeUInt16BE(extension.length + rest, 4);
  header.writeUInt8(kind, 6);
  header.writeUInt8(hopsOf(inner, tunnel), 7);
  header.set(bytesOf(outside.source), 8);
  header.set(bytesOf(outside.destination), 24);
  if (extension.length > 0) header.writeUInt8(protocol, 40);
  return header;
}

/** RFC 6040, section 4.2, and of its two ways for ECT(1) outside the one that Linux goes. Undefined: the packet is dropped. */
export function ecnInside(outside: number, inside: number): number | undefined {
  if (outside === CE) return inside === 0 ? undefined : CE;
  return outside === ECT1 && inside === ECT0 ? ECT1 : inside;
}

/** The packet with other bits of ECN. */
export function withEcn(packet: Uint8Array, ecn: number): Buffer {
  const copy = Buffer.from(packet);
  if (familyOf(copy) === 6) {
    copy.writeUInt8(((copy[1] ?? 0) & ~0x30) | (ecn << 4), 1);
    return copy;
  }
  copy.writeUInt8(((copy[1] ?? 0) & ~3) | ecn, 1);
  return writeChecksum(copy);
}

/** As the edge forwards it. */
export function oneHopLess(packet: Uint8Array): Buffer {
  const copy = Buffer.from(packet);
  const at = familyOf(copy) === 6 ? 7 : 8;
  copy.writeUInt8((copy[at] ?? 0) - 1, at);
  return familyOf(copy) === 6 ? copy : writeChecksum(copy);
}

/** Of the IPv4 header that a packet begins with. */
export function writeChecksum(packet: Buffer): Buffer {
  const length = ((packet[0] ?? 0) & 0xf) * 4;
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksum(packet.subarray(0, length)), 10);
  return packet;
}

/** 0 where it is right. */
export function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += ((header[at] ?? 0) << 8) | (header[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function bytesOf(address: string): Uint8Array {
  const parsed = parseAddress(address);
  if (!parsed) throw new Error(`not an address: ${address}`);
  return addressBytes(parsed);
}
