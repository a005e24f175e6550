import type { Header } from "../ir/headers.js";
import type { Packet } from "./decode.js";

/**
 * Where each header starts, as a function of the packet's own bytes: docs/semantics.md, "Fields". undefined: the packet
 * has none. That it starts inside the packet does not say that it ends there.
 */

/** Headers that are bytes of the IP packet. */
type PacketHeader = Exclude<Header, "proto" | "vlan" | "ct">;

/** Offset in bytes from the IP header. */
export function headerStart(packet: Packet, header: PacketHeader): number | undefined {
  switch (header) {
    case "ip4":
    case "ip6":
      return packet.family === (header === "ip4" ? 4 : 6) ? 0 : undefined;
    case "ip4Option":
      return packet.family === 4 && byteAt(packet, 0) % 16 > 5 ? 20 : undefined;
    case "fragment6":
      return packet.fragmentHeader ?? undefined;
    case "tcpPayload":
      return tcpPayload(packet);
    case "tcpMss":
      return tcpMss(packet);
    case "greKey":
      return greKey(packet);
    default:
      return packet.transport?.header === header ? packet.transport.offset : undefined;
  }
}

/** NaN behind the packet's end, which no comparison holds for. */
function byteAt({ bytes }: Packet, offset: number): number {
  return bytes[offset] ?? Number.NaN;
}

/** Where the TCP header with its options ends: its data offset, in words of 4 bytes, is the fourth but last byte's upper half. */
function tcpPayload(packet: Packet): number | undefined {
  const tcp = headerStart(packet, "tcp");
  if (tcp === undefined || tcp + TCP_HEADER > packet.bytes.length) return undefined;
  const length = (byteAt(packet, tcp + 12) >> 4) * 4;
  return length < TCP_HEADER ? undefined : tcp + length;
}

const TCP_HEADER = 20;
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;

/**
 * The value of the first MSS option, which must lie inside the options as a whole, and the options inside the packet. As the
 * kernel walks (nft_exthdr_tcp_eval): the end-of-options byte ends nothing, and a length of 0 counts as 1.
 */
function tcpMss(packet: Packet): number | undefined {
  const tcp = headerStart(packet, "tcp");
  const end = tcpPayload(packet);
  if (tcp === undefined || end === undefined || end > packet.bytes.length) return undefined;
  for (let at = tcp + TCP_HEADER; at < end - 1; ) {
    const [kind, length] = [byteAt(packet, at), byteAt(packet, at + 1)];
    const step = kind === END_OF_OPTIONS || kind === NO_OPERATION || length === 0 ? 1 : length;
    if (kind === MAXIMUM_SEGMENT_SIZE) return at + step <= end && step >= 4 ? at + 2 : undefined;
    at += step;
  }
  return undefined;
}

/** Version 0 only; a checksum or routing bit puts four bytes before the key (RFC 1701, RFC 2890). */
function greKey(packet: Packet): number | undefined {
  const gre = headerStart(packet, "gre");
  if (gre === undefined || gre + 2 > packet.bytes.length) return undefined;
  const [flags, version] = [byteAt(packet, gre), byteAt(packet, gre + 1) & 0x07];
  if (version !== 0 || (flags & GRE_KEY) === 0) return undefined;
  return gre + 4 + ((flags & (GRE_CHECKSUM | GRE_ROUTING)) !== 0 ? 4 : 0);
}

const GRE_CHECKSUM = 0x80;
const GRE_ROUTING = 0x40;
const GRE_KEY = 0x20;
