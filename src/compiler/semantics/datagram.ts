import { invariant } from "../diagnostics/invariant.js";
import { decode, type Packet } from "./decode.js";
import { extensionLength, IPV6_HEADER, isExtension } from "./extensions.js";

const FRAGMENT_HEADER = 8;

/** IPv4's "more fragments" bit and offset; IPv6's the same, without the two reserved bits (RFC 8200, section 4.5). */
const PART_OF_4 = 0x3fff;
const PART_OF_6 = 0xfff9;

/** "No next header" (RFC 8200, section 4.7). */
const NOTHING = 59;
/** Bytes of the headers that a first fragment must hold whole, by protocol number; of any other it must hold one. */
const WHOLE_HEADERS: ReadonlyMap<number, number> = new Map([
  [6, 20],
  [17, 8],
  [58, 8],
]);

/**
 * What a stateful firewall judges: the whole datagram. undefined: the packet is a part of one, or the broken beginning
 * of one. An IPv6 fragment that is the whole datagram loses its fragment header, as in any reassembly
 * (RFC 6946).
 */
export function wholeDatagram(packet: Packet): Packet | undefined {
  const { bytes, fragmentHeader } = packet;
  if (packet.family === 4) return (twoBytes(bytes, 6) & PART_OF_4) === 0 ? packet : undefined;
  if (fragmentHeader === null) return packet;
  if ((twoBytes(bytes, fragmentHeader + 2) & PART_OF_6) !== 0) return undefined;
  if (beginsTruncated(bytes, fragmentHeader)) return undefined;

  const decoded = decode(withoutHeader(bytes, fragmentHeader), 6, packet.surroundings);
  invariant(decoded.kind === "packet", "a packet without its fragment header is well-formed as before");
  return decoded.packet;
}

/** A first fragment holds all headers, the transport's too (RFC 8200, section 4.5; ipv6frag_thdr_truncated). */
function beginsTruncated(bytes: Uint8Array, fragmentHeader: number): boolean {
  let at = fragmentHeader + FRAGMENT_HEADER;
  let type = bytes[fragmentHeader] ?? 0;
  // Nothing behind it is no fragment; and behind an AH it may itself be cut, which decode.ts is content with.
  if (at >= bytes.length) return true;
  while (isExtension(type)) {
    const [next, length] = bytes.subarray(at, at + 2);
    if (next === undefined || length === undefined) return false;
    at += extensionLength(type, length);
    type = next;
  }
  return type !== NOTHING && at + (WHOLE_HEADERS.get(type) ?? 1) > bytes.length;
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
