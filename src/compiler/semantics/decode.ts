import { type Address, addressFromBytes, type Family } from "../ir/address.js";
import { CT_STATES } from "../ir/fields.js";
import { viewOf } from "./bytes.js";
import { type ExtensionProblem, IPV6_HEADER, walkExtensions } from "./extensions.js";

/** The headers behind the IP header that have fields of their own. */
export type TransportHeader = "tcp" | "udp" | "icmp" | "icmp6" | "gre";

/** What is known of a packet besides its bytes. */
export interface Surroundings {
  /** The 16 bits of control information of the outermost VLAN tag, or null for none. */
  readonly vlan: number | null;
  /** What connection tracking says of it, as one of CT_STATES. */
  readonly connection: number;
}

/** A packet without a tag that opens a connection. */
export const ALONE: Surroundings = { vlan: null, connection: CT_STATES.new };

/** A well-formed IP packet whose headers are found. */
export interface Packet {
  /** From the IP header on, cut to the packet's own length: padding belongs to no field. */
  readonly bytes: Uint8Array;
  readonly family: Family;
  readonly source: Address;
  readonly destination: Address;
  /** null where IPv6's header chain is unfinished, on a later fragment or at a cut AH: it cannot be known. */
  readonly protocol: number | null;
  /** null on a later fragment, and where the protocol is none of those that have fields. */
  readonly transport: { readonly header: TransportHeader; readonly offset: number } | null;
  /** Where IPv6's fragment header starts, wherever it stands in the chain; null: there is none. */
  readonly fragmentHeader: number | null;
  readonly surroundings: Surroundings;
}

export type MalformedReason =
  | "it is neither IPv4 nor IPv6"
  | "it is shorter than its IP header"
  | "its IP version is not the one that the frame announces"
  | "its header length is below 5 words"
  | "its header is longer than the packet"
  | "it is longer than the frame"
  | ExtensionProblem;

export type Decoded =
  | { readonly kind: "packet"; readonly packet: Packet }
  | { readonly kind: "malformed"; readonly reason: MalformedReason };

const IPV4_HEADER = 20;

/** Finds the headers of `bytes`. `family` is what an EtherType announces; without one the version decides. */
export function decode(
  bytes: Uint8Array,
  family: Family | undefined = versionOf(bytes),
  surroundings: Surroundings = ALONE,
): Decoded {
  if (family === undefined) return malformed("it is neither IPv4 nor IPv6");
  if (bytes.length < (family === 4 ? IPV4_HEADER : IPV6_HEADER))
    return malformed("it is shorter than its IP header");
  if (versionOf(bytes) !== family) return malformed("its IP version is not the one that the frame announces");
  return family === 4 ? decodeIpv4(bytes, surroundings) : decodeIpv6(bytes, surroundings);
}

function versionOf(bytes: Uint8Array): Family | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  return version === 4 || version === 6 ? version : undefined;
}

/** RFC 791. */
function decodeIpv4(frame: Uint8Array, surroundings: Surroundings): Decoded {
  const view = viewOf(frame);
  const headerLength = (view.getUint8(0) & 0x0f) * 4;
  const ownLength = view.getUint16(2);
  if (headerLength < IPV4_HEADER) return malformed("its header length is below 5 words");
  if (headerLength > ownLength) return malformed("its header is longer than the packet");
  if (ownLength > frame.length) return malformed("it is longer than the frame");

  const protocol = view.getUint8(9);
  const laterFragment = (view.getUint16(6) & 0x1fff) !== 0;
  const header = laterFragment ? null : transportHeader(4, protocol);
  return {
    kind: "packet",
    packet: {
      bytes: frame.subarray(0, ownLength),
      family: 4,
      source: addressFromBytes(frame.subarray(12, 16)),
      destination: addressFromBytes(frame.subarray(16, 20)),
      protocol,
      transport: header && { header, offset: headerLength },
      fragmentHeader: null,
      surroundings,
    },
  };
}

/** RFC 8200. */
function decodeIpv6(frame: Uint8Array, surroundings: Surroundings): Decoded {
  const ownLength = IPV6_HEADER + viewOf(frame).getUint16(4);
  if (ownLength > frame.length) return malformed("it is longer than the frame");
  const bytes = frame.subarray(0, ownLength);
  const chain = walkExtensions(bytes);
  if (typeof chain === "string") return malformed(chain);

  const header = chain.laterFragment || chain.protocol === null ? null : transportHeader(6, chain.protocol);
  return {
    kind: "packet",
    packet: {
      bytes,
      family: 6,
      source: addressFromBytes(bytes.subarray(8, 24)),
      destination: addressFromBytes(bytes.subarray(24, 40)),
      protocol: chain.protocol,
      transport: header && { header, offset: chain.end },
      fragmentHeader: chain.fragmentHeader,
      surroundings,
    },
  };
}

function transportHeader(family: Family, protocol: number): TransportHeader | null {
  switch (protocol) {
    case 6:
      return "tcp";
    case 17:
      return "udp";
    case 1:
      return family === 4 ? "icmp" : null;
    case 58:
      return family === 6 ? "icmp6" : null;
    case 47:
      return "gre";
    default:
      return null;
  }
}

function malformed(reason: MalformedReason): Decoded {
  return { kind: "malformed", reason };
}
