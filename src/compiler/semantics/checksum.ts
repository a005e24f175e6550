import { ipv4HeaderLength, viewOf } from "./bytes.js";

/** The Internet checksum (RFC 1071) of bytes whose checksum field is still zero. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at] ?? 0) * 256 + (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Makes the header checksum of an IPv4 packet right, in place. */
export function writeHeaderChecksum(packet: Uint8Array): void {
  const view = viewOf(packet);
  view.setUint16(10, 0);
  view.setUint16(10, internetChecksum(packet.subarray(0, ipv4HeaderLength(packet))));
}

/** The pseudo-header that TCP, UDP and ICMPv6 put before their own bytes (RFC 9293, RFC 8200 section 8.1). */
export function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): Uint8Array {
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, length);
  tail[7] = protocol;
  return Uint8Array.from([...source, ...destination, ...tail]);
}
