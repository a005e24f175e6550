import { assertNever } from "../diagnostics/invariant.js";
import { type Address, addressBytes } from "../ir/address.js";
import { internetChecksum, pseudoHeader, writeHeaderChecksum } from "./checksum.js";

/** What stands between the IP header and the payload. Whatever is not named here is zero. */
export type TransportSpec =
  | {
      readonly kind: "tcp";
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly flags: number;
    }
  | { readonly kind: "udp"; readonly sourcePort: number; readonly destinationPort: number }
  | { readonly kind: "icmp" | "icmp6"; readonly type: number; readonly code: number }
  | { readonly kind: "none" };

/** A packet as a person would describe it; both addresses have one family. */
export interface PacketSpec {
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  readonly transport: TransportSpec;
  readonly payload: Uint8Array;
  /** IPv4's time to live, IPv6's hop limit. */
  readonly ttl: number;
  readonly dscp: number;
  readonly id: number;
  /** Offset in bytes, a multiple of 8. In IPv6 it becomes a fragment header. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null;
  /** The packet's own length in bytes: cuts it, or fills it with zeros. null: as long as its parts are. */
  readonly length: number | null;
}

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const FRAGMENT = 44;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
const ICMP_HEADER = 8;

/** Bytes of the IP header and what belongs to it: a packet cannot be shorter. */
export function ipHeaderLength({ source, fragment }: Pick<PacketSpec, "source" | "fragment">): number {
  if (source.family === 4) return IPV4_HEADER;
  return fragment ? IPV6_HEADER + FRAGMENT_HEADER : IPV6_HEADER;
}

/** The packet's bytes from the IP header on, with right lengths and checksums. */
export function buildPacket(spec: PacketSpec): Uint8Array {
  const headerLength = ipHeaderLength(spec);
  const body = transportBytes(spec, bodyLength(spec, headerLength));
  const kept = spec.length === null ? body : body.subarray(0, spec.length - headerLength);
  const header = spec.source.family === 4 ? ipv4Header(spec, kept.length) : ipv6Header(spec, kept.length);
  return Uint8Array.from([...header, ...kept]);
}

/** Checksums cover the whole transport packet, so that `length` cuts what was a whole one. */
function bodyLength(spec: PacketSpec, headerLength: number): number {
  const natural = transportHeaderLength(spec.transport) + spec.payload.length;
  return Math.max(natural, (spec.length ?? 0) - headerLength);
}

function transportHeaderLength(transport: TransportSpec): number {
  switch (transport.kind) {
    case "tcp":
      return TCP_HEADER;
    case "udp":
      return UDP_HEADER;
    case "icmp":
    case "icmp6":
      return ICMP_HEADER;
    case "none":
      return 0;
    default:
      return assertNever(transport);
  }
}

function transportBytes(spec: PacketSpec, length: number): Uint8Array {
  const { transport } = spec;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(spec.payload, transportHeaderLength(transport));
  switch (transport.kind) {
    case "tcp":
      view.setUint16(0, transport.sourcePort);
      view.setUint16(2, transport.destinationPort);
      view.setUint8(12, (TCP_HEADER / 4) << 4);
      view.setUint8(13, transport.flags);
      view.setUint16(16, transportChecksum(spec, bytes));
      break;
    case "udp":
      view.setUint16(0, transport.sourcePort);
      view.setUint16(2, transport.destinationPort);
      view.setUint16(4, length);
      // Zero would say "no checksum" (RFC 768).
      view.setUint16(6, transportChecksum(spec, bytes) || 0xffff);
      break;
    case "icmp":
    case "icmp6":
      view.setUint8(0, transport.type);
      view.setUint8(1, transport.code);
      // ICMP for IPv4 has no pseudo-header (RFC 792), ICMPv6 has one (RFC 4443).
      view.setUint16(2, transport.kind === "icmp" ? internetChecksum(bytes) : transportChecksum(spec, bytes));
      break;
    case "none":
      break;
    default:
      assertNever(transport);
  }
  return bytes;
}

function transportChecksum({ source, destination, protocol }: PacketSpec, bytes: Uint8Array): number {
  const pseudo = pseudoHeader(addressBytes(source), addressBytes(destination), protocol, bytes.length);
  return internetChecksum(pseudo, bytes);
}

function ipv4Header(spec: PacketSpec, bodyLength: number): Uint8Array {
  const header = new Uint8Array(IPV4_HEADER);
  const view = new DataView(header.buffer);
  view.setUint8(0, (4 << 4) | (IPV4_HEADER / 4));
  view.setUint8(1, spec.dscp << 2);
  view.setUint16(2, IPV4_HEADER + bodyLength);
  view.setUint16(4, spec.id);
  if (spec.fragment) view.setUint16(6, (spec.fragment.more ? 0x2000 : 0) | (spec.fragment.offset / 8));
  view.setUint8(8, spec.ttl);
  view.setUint8(9, spec.protocol);
  header.set(addressBytes(spec.source), 12);
  header.set(addressBytes(spec.destination), 16);
  writeHeaderChecksum(header);
  return header;
}

function ipv6Header(spec: PacketSpec, bodyLength: number): Uint8Array {
  const header = new Uint8Array(ipHeaderLength(spec));
  const view = new DataView(header.buffer);
  view.setUint16(0, (6 << 12) | (spec.dscp << 6));
  view.setUint16(4, header.length - IPV6_HEADER + bodyLength);
  view.setUint8(6, spec.fragment ? FRAGMENT : spec.protocol);
  view.setUint8(7, spec.ttl);
  header.set(addressBytes(spec.source), 8);
  header.set(addressBytes(spec.destination), 24);
  if (spec.fragment) {
    view.setUint8(IPV6_HEADER, spec.protocol);
    view.setUint16(IPV6_HEADER + 2, spec.fragment.offset | (spec.fragment.more ? 1 : 0));
    view.setUint32(IPV6_HEADER + 4, spec.id);
  }
  return header;
}
