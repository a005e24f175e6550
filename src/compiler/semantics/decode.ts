import { type Address, addressFromBytes, type Family } from "../ir/address.js";
import type { Header } from "../ir/fields.js";

/** The headers behind the IP header that have fields of their own. */
export type TransportHeader = Exclude<Header, "ip4" | "ip6" | "proto">;

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
}

export type MalformedReason =
  | "it is neither IPv4 nor IPv6"
  | "it is shorter than its IP header"
  | "its IP version is not the one that the frame announces"
  | "its header length is below 5 words"
  | "its header is longer than the packet"
  | "it is longer than the frame"
  | "an extension header ends behind the packet"
  | "it has more than 8 extension headers"
  | "it has two fragment headers";

export type Decoded =
  | { readonly kind: "packet"; readonly packet: Packet }
  | { readonly kind: "malformed"; readonly reason: MalformedReason };

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const MAX_EXTENSIONS = 8;

/** IANA protocol numbers of the IPv6 extension headers that are walked, and of AH, which is not. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;

/** Finds the headers of `bytes`. `family` is what an EtherType announces; without one the version decides. */
export function decode(bytes: Uint8Array, family: Family | undefined = versionOf(bytes)): Decoded {
  if (family === undefined) return malformed("it is neither IPv4 nor IPv6");
  if (bytes.length < (family === 4 ? IPV4_HEADER : IPV6_HEADER))
    return malformed("it is shorter than its IP header");
  if (versionOf(bytes) !== family) return malformed("its IP version is not the one that the frame announces");
  return family === 4 ? decodeIpv4(bytes) : decodeIpv6(bytes);
}

function versionOf(bytes: Uint8Array): Family | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  return version === 4 || version === 6 ? version : undefined;
}

/** RFC 791. */
function decodeIpv4(frame: Uint8Array): Decoded {
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
    },
  };
}

/** RFC 8200. */
function decodeIpv6(frame: Uint8Array): Decoded {
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
    },
  };
}

/** Where a chain of extension headers ends, and what follows it. */
interface Chain {
  readonly protocol: number | null;
  readonly end: number;
  readonly laterFragment: boolean;
}

function walkExtensions(bytes: Uint8Array): Chain | MalformedReason {
  const view = viewOf(bytes);
  let next = view.getUint8(6);
  let end = IPV6_HEADER;
  let fragments = 0;
  for (let walked = 0; isWalked(next); walked++) {
    if (walked === MAX_EXTENSIONS) return "it has more than 8 extension headers";
    if (next === FRAGMENT && ++fragments > 1) return "it has two fragment headers";
    const start = end;
    if (start + 8 > bytes.length) return "an extension header ends behind the packet";
    end = start + (next === FRAGMENT ? 8 : (view.getUint8(start + 1) + 1) * 8);
    if (end > bytes.length) return "an extension header ends behind the packet";
    const laterFragment = next === FRAGMENT && view.getUint16(start + 2) >> 3 !== 0;
    next = view.getUint8(start);
    if (laterFragment) return { protocol: isUnfinished(next) ? null : next, end, laterFragment };
  }
  // The kernel reads an AH's first two bytes before it ends the chain there (ipv6_find_hdr).
  const cutShort = next === AUTHENTICATION && end + 2 > bytes.length;
  return { protocol: cutShort ? null : next, end, laterFragment: false };
}

function isWalked(next: number): boolean {
  return next === HOP_BY_HOP || next === ROUTING || next === FRAGMENT || next === DESTINATION_OPTIONS;
}

/** The rest of the chain is in the first fragment: the transport protocol cannot be known from this one. */
function isUnfinished(next: number): boolean {
  return isWalked(next) || next === AUTHENTICATION;
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
    default:
      return null;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(reason: MalformedReason): Decoded {
  return { kind: "malformed", reason };
}
