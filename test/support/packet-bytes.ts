import { addressBytes, type Family } from "../../src/compiler/ir/address.js";

/**
 * Builds IP packets byte by byte for the differential tests. Deliberately not the packet text of the product: a mistake in
 * that must not hide itself.
 */
export interface PacketShape {
  readonly family: Family;
  readonly src: bigint;
  readonly dst: bigint;
  readonly proto: number;
  /** Transport header and payload. */
  readonly transport: Uint8Array;
  /** Offset in 8-byte units, and the more-fragments flag; null: not a fragment. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null;
  /** IPv4: words of no-operation options. */
  readonly optionWords: number;
  /** IPv6: extension headers before the transport, by their next-header value (0, 43, 60). */
  readonly extensions: readonly number[];
  /** Bytes behind the packet's own length. */
  readonly padding: number;
}

const FRAGMENT_HEADER = 44;

export function packetBytes(shape: PacketShape): Uint8Array {
  return shape.family === 4 ? ip4(shape) : ip6(shape);
}

function ip4(shape: PacketShape): Uint8Array {
  const headerLength = 20 + 4 * shape.optionWords;
  const header = Buffer.alloc(headerLength, 1); // option 1 is "no operation" (RFC 791)
  header.writeUInt8(0x40 | (headerLength / 4), 0);
  header.writeUInt8(0, 1);
  header.writeUInt16BE(headerLength + shape.transport.length, 2);
  header.writeUInt16BE(0x1234, 4);
  header.writeUInt16BE((shape.fragment?.offset ?? 0) | (shape.fragment?.more ? 0x2000 : 0), 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(shape.proto, 9);
  header.writeUInt16BE(0, 10);
  header.set(addressBytes({ family: 4, value: shape.src }), 12);
  header.set(addressBytes({ family: 4, value: shape.dst }), 16);
  header.writeUInt16BE(onesComplement(header), 10);
  return Buffer.concat([header, shape.transport, Buffer.alloc(shape.padding, 0x50)]);
}

function ip6(shape: PacketShape): Uint8Array {
  const kinds = [...shape.extensions, ...(shape.fragment ? [FRAGMENT_HEADER] : [])];
  const extensions = kinds.map((kind, index) => extension(kind, kinds[index + 1] ?? shape.proto, shape));
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(extensions.reduce((sum, e) => sum + e.length, 0) + shape.transport.length, 4);
  header.writeUInt8(kinds[0] ?? shape.proto, 6);
  header.writeUInt8(64, 7);
  header.set(addressBytes({ family: 6, value: shape.src }), 8);
  header.set(addressBytes({ family: 6, value: shape.dst }), 24);
  return Buffer.concat([header, ...extensions, shape.transport, Buffer.alloc(shape.padding, 0x50)]);
}

function extension(kind: number, next: number, shape: PacketShape): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(next, 0);
  if (kind === FRAGMENT_HEADER) {
    bytes.writeUInt16BE(((shape.fragment?.offset ?? 0) << 3) | (shape.fragment?.more ? 1 : 0), 2);
    bytes.writeUInt32BE(0x12345678, 4);
  } else if (kind !== 43) {
    bytes.set([1, 4], 2); // PadN over the rest (RFC 8200, 4.2)
  }
  return bytes;
}

/** The Internet checksum (RFC 1071) of an even number of bytes. */
function onesComplement(bytes: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < bytes.length; offset += 2) sum += bytes.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** An Ethernet frame around an IP packet, with VLAN tags (802.1Q) if asked for. */
export function ethernetFrame(packet: Uint8Array, vlans: readonly number[] = []): Uint8Array {
  const macs = Buffer.from("020000000002020000000001", "hex");
  const tags = vlans.flatMap((vlan) => [0x81, 0x00, vlan >> 8, vlan & 0xff]);
  const version = (packet[0] ?? 0x40) >> 4;
  const etherType = version === 6 ? [0x86, 0xdd] : [0x08, 0x00];
  return Buffer.concat([macs, Uint8Array.from([...tags, ...etherType]), packet]);
}
