import { internetChecksum, pseudoHeader, writeHeaderChecksum } from "../../semantics/checksum.js";
import { decode, type Packet, type Surroundings } from "../../semantics/decode.js";
import { headerStart } from "../../semantics/headers.js";
import { readBits } from "./bits.js";
import { connectionBits, type Template, vlanBits } from "./template.js";

/** A packet as it is judged: bytes from the IP header on, and what is known besides. */
export interface Built {
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
}

/** The packet that a template became when its open bits were written; `bytes` are laid out as the template's. */
export function finish(template: Template, bytes: Uint8Array): Built {
  const packet = bytes.slice(0, template.frameLength);
  writeChecksums(packet);
  return {
    bytes: packet,
    surroundings: {
      vlan: template.shape.tagged ? Number(readBits(bytes, vlanBits(template))) : null,
      connection: Number(readBits(bytes, connectionBits(template))),
    },
  };
}

/**
 * Makes the checksums right, in place. The kernel drops an IPv4 packet with a wrong one before any rule (ip_rcv_core), and
 * connection tracking calls a wrong transport checksum invalid. Malformed packets stay as they are.
 */
export function writeChecksums(bytes: Uint8Array): void {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return;
  writeTransportChecksum(decoded.packet);
  if (decoded.packet.family === 4) writeHeaderChecksum(bytes);
}

/** The checksum of a fragment's datagram is not in it. */
function isWhole({ family, bytes, fragmentHeader }: Packet): boolean {
  if (family === 6) return fragmentHeader === null;
  return (((bytes[6] ?? 0) & 0x3f) | (bytes[7] ?? 0)) === 0;
}

function writeTransportChecksum(packet: Packet): void {
  const { transport, bytes } = packet;
  const place = checksumPlace(packet);
  if (!transport || !place) return;
  const { start, offset } = place;
  const body = bytes.subarray(start);
  const ends = packet.family === 4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
  const pseudo = pseudoHeader(ends, new Uint8Array(), packet.protocol ?? 0, body.length);
  writeSum(body, offset, () => {
    if (transport.header === "icmp") return internetChecksum(body);
    // In UDP, zero would say "no checksum" (RFC 768).
    return internetChecksum(pseudo, body) || (transport.header === "udp" ? 0xffff : 0);
  });
}

/** Where the transport header starts, and its checksum in it, in bytes; undefined: there is none. */
export function checksumPlace(
  packet: Packet,
): { readonly start: number; readonly offset: number } | undefined {
  const { transport, bytes } = packet;
  if (!transport || transport.header === "gre" || !isWhole(packet)) return undefined;
  const offset = { tcp: 16, udp: 6, icmp: 2, icmp6: 2 }[transport.header];
  const start = headerStart(packet, transport.header) ?? 0;
  return bytes.length < start + offset + 2 ? undefined : { start, offset };
}

/** `sum` is asked while the field is still zero. */
function writeSum(bytes: Uint8Array, offset: number, sum: () => number): void {
  bytes.set([0, 0], offset);
  const value = sum();
  bytes.set([value >> 8, value & 0xff], offset);
}
