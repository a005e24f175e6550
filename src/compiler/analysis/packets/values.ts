import { assertNever } from "../../diagnostics/invariant.js";
import { addressBytes } from "../../ir/address.js";
import type { Header } from "../../ir/headers.js";
import type { Packet } from "../../semantics/decode.js";
import { readNumber } from "../../semantics/fields.js";
import { headerStart } from "../../semantics/headers.js";
import type { Space } from "../space.js";
import { type Asks, TRANSPORTS, UNKNOWN_PROTOCOL } from "../variable.js";

/** The value of each variable in a packet, as the reference reads it. */
export function valuesOf(packet: Packet, space: Space): Uint32Array {
  return Uint32Array.from(space.variables, ({ asks }) => answerOf(packet, asks));
}

export function answerOf(packet: Packet, asks: Asks): number {
  switch (asks.kind) {
    case "family":
      return packet.family;
    case "protocol":
      return packet.protocol ?? UNKNOWN_PROTOCOL;
    case "transport": {
      const { transport, bytes } = packet;
      return transport ? TRANSPORTS[transport.header] * 0x1_0000 + bytes.length - transport.offset : 0;
    }
    case "length":
      return packet.bytes.length;
    case "part":
      return bytesOf(packet, asks.header);
    case "address": {
      if (packet.family !== asks.family) return 0;
      const bytes = addressBytes(asks.field === "ip.src" ? packet.source : packet.destination);
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * asks.chunk);
    }
    case "bits":
      return bitsOf(packet, asks);
    default:
      return assertNever(asks);
  }
}

function bytesOf(packet: Packet, header: Extract<Asks, { kind: "part" }>["header"]): number {
  if (header === "vlan") return packet.surroundings.vlan === null ? 0 : 2;
  const start = headerStart(packet, header);
  return start === undefined ? 0 : Math.max(0, packet.bytes.length - start);
}

/** 0 where none of the headers has the bits. */
function bitsOf(packet: Packet, { headers, offset, width }: Extract<Asks, { kind: "bits" }>): number {
  const read = (header: Header) => readNumber(packet, { name: "slice", header, offset, width });
  return Number(headers.map(read).find((value) => value !== undefined) ?? 0n);
}
