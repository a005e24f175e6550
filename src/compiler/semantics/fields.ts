import type { Family } from "../ir/address.js";
import { ADDRESS_FIELDS, type AddressFieldName } from "../ir/fields.js";
import { bytesNeeded, type WireField } from "../ir/wire.js";
import type { Packet } from "./decode.js";
import { headerStart } from "./headers.js";

/** An address of the packet, or undefined (absent) in a packet of the other family. */
export function readAddress(packet: Packet, name: AddressFieldName, family: Family): bigint | undefined {
  if (packet.family !== family) return undefined;
  return bigEndian(packet.bytes, ADDRESS_FIELDS[name].offset[family], family === 4 ? 4 : 16);
}

/** A number of the packet, or undefined (absent) unless all its bytes are there. */
export function readNumber(packet: Packet, field: WireField): bigint | undefined {
  switch (field.header) {
    case "proto":
      return packet.protocol === null ? undefined : BigInt(packet.protocol);
    case "ct":
      return BigInt(packet.surroundings.connection);
    case "vlan": {
      const { vlan } = packet.surroundings;
      return vlan === null ? undefined : bitsOf(BigInt(vlan), 16, field);
    }
    default: {
      const start = headerStart(packet, field.header);
      const bytes = bytesNeeded(field);
      if (start === undefined || start + bytes > packet.bytes.length) return undefined;
      // Bytes before the field's first one would be cut off again: a slice may lie far behind its header's start.
      const first = Math.floor(field.offset / 8);
      const value = bigEndian(packet.bytes, start + first, bytes - first);
      return bitsOf(value, 8 * (bytes - first), { offset: field.offset % 8, width: field.width });
    }
  }
}

/** `width` bits of a number of `length` bits, `offset` bits from its most significant one. */
function bitsOf(
  value: bigint,
  length: number,
  { offset, width }: Pick<WireField, "offset" | "width">,
): bigint {
  return BigInt.asUintN(width, value >> BigInt(length - offset - width));
}

/** What a number holds exactly: sums of bigints are slow. */
const EXACT = 6;

function bigEndian(bytes: Uint8Array, offset: number, width: number): bigint {
  let sum = 0;
  const end = offset + Math.min(width, EXACT);
  for (let at = offset; at < end; at++) sum = sum * 256 + (bytes[at] ?? 0);
  if (width <= EXACT) return BigInt(sum);
  const rest = width - EXACT;
  return (BigInt(sum) << BigInt(8 * rest)) | bigEndian(bytes, end, rest);
}
