import { invariant } from "../diagnostics/invariant.js";
import { decode, type Packet } from "./decode.js";
import { extensionLength, IPV6_HEADER } from "./extensions.js";

const FRAGMENT_HEADER = 8;

/** IPv4's "more fragments" bit and offset; IPv6's the same, without the two reserved bits (RFC 8200, section 4.5). */
const PART_OF_4 = 0x3fff;
const PART_OF_6 = 0xfff9;

/**
 * What a stateful firewall judges: the whole datagram. undefined: the packet is a part of one. An IPv6 fragment that is the
 * whole datagram loses its fragment header, as in any reassembly (RFC 6946).
 */
export function wholeDatagram(packet: Packet): Packet | undefined {
  const { bytes, fragmentHeader } = packet;
  if (packet.family === 4) return (twoBytes(bytes, 6) & PART_OF_4) === 0 ? packet : undefined;
  if (fragmentHeader === null) return packet;
  if ((twoBytes(bytes, fragmentHeader + 2) & PART_OF_6) !== 0) return undefined;

  const decoded = decode(withoutHeader(bytes, fragmentHeader), 6, packet.surroundings);
  invariant(decoded.kind === "packet", "a packet without its fragment header is well-formed as before");
  return decoded.packet;
}

function withoutHeader(bytes: Uint8Array, fragmentHeader: number): Uint8Array {
  const whole = Uint8Array.from(bytes);
  whole[nextHeaderBefore(bytes, fragmentHeader)] = bytes[fragmentHeader] ?? 0;
  whole.copyWithin(fragmentHeader, fragmentHeader + FRAGMENT_HEADER);
  const shorter = whole.subarray(0, bytes.length - FRAGMENT_HEADER);
  const view = new DataView(shorter.buffer, shorter.byteOffset, shorter.byteLength);
  view.setUint16(4, shorter.length - IPV6_HEADER);
  return shorter;
}

/** Offset of the byte that announces the header at `target`. */
function nextHeaderBefore(bytes: Uint8Array, target: number): number {
  let announcedAt = 6;
  for (let at = IPV6_HEADER; at < target; ) {
    const type = bytes[announcedAt] ?? 0;
    announcedAt = at;
    at += extensionLength(type, bytes[at + 1] ?? 0);
  }
  return announcedAt;
}

function twoBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
