import type { Family } from "../ir/address.js";
import {
  ADDRESS_FIELDS,
  type AddressFieldName,
  type Header,
  NUMBER_FIELDS,
  type NumberFieldName,
} from "../ir/fields.js";
import type { Packet } from "./decode.js";

/** An address of the packet, or undefined (absent) in a packet of the other family. */
export function readAddress(packet: Packet, name: AddressFieldName, family: Family): bigint | undefined {
  if (packet.family !== family) return undefined;
  return bigEndian(packet.bytes, ADDRESS_FIELDS[name].offset[family], family === 4 ? 4 : 16);
}

/** A number of the packet, or undefined (absent) unless all its bytes are there. */
export function readNumber(packet: Packet, name: NumberFieldName): bigint | undefined {
  const { header, offset, width } = NUMBER_FIELDS[name];
  if (header === "proto") return packet.protocol === null ? undefined : BigInt(packet.protocol);
  const start = headerStart(packet, header);
  if (start === undefined || start + offset + width > packet.bytes.length) return undefined;
  return bigEndian(packet.bytes, start + offset, width);
}

function headerStart(packet: Packet, header: Exclude<Header, "proto">): number | undefined {
  if (header === "ip4" || header === "ip6")
    return packet.family === (header === "ip4" ? 4 : 6) ? 0 : undefined;
  return packet.transport?.header === header ? packet.transport.offset : undefined;
}

function bigEndian(bytes: Uint8Array, offset: number, width: number): bigint {
  return bytes.subarray(offset, offset + width).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
