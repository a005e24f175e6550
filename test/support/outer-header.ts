import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { checksum, familyOf, tosOf } from "./outer-packets.js";

/** A packet of the wire, taken apart. */

type Outer = Pick<Tunnel, "kind" | "key">;

/** What an outer header takes from the packet inside. */
interface Inner {
  readonly tos: number;
  readonly ttl: number;
  readonly df: boolean;
}

export function innerOf(packet: Buffer): Inner {
  const isIpv6 = familyOf(packet) === 6;
  return {
    tos: tosOf(packet),
    ttl: packet.readUInt8(isIpv6 ? 7 : 8),
    df: !isIpv6 && (packet.readUInt8(6) & 0x40) !== 0,
  };
}

/** A packet of the wire: its outer header, in which what no RFC fixes is 0, and the packet inside. */
export function splitPacket(
  packet: Buffer,
  { kind, key }: Outer,
): { readonly header: Buffer; readonly inner: Buffer } {
  const isIpv6 = familyOf(packet) === 6;
  // A short frame has padding behind the packet.
  const length = isIpv6 ? 40 + packet.readUInt16BE(4) : packet.readUInt16BE(2);
  const at = (isIpv6 ? 40 : 20) + (kind !== "gre" ? 0 : key === null ? 4 : 8);
  const header = Buffer.from(packet.subarray(0, at));
  if (isIpv6) clearFlowLabel(header);
  else clearIdentification(header);
  return { header, inner: packet.subarray(at, length) };
}

function clearFlowLabel(header: Buffer): void {
  header.writeUInt8(header.readUInt8(1) & 0xf0, 1);
  header.writeUInt16BE(0, 2);
}

/** And the checksum that it is part of, which must be right. */
function clearIdentification(header: Buffer): void {
  if (checksum(header.subarray(0, 20)) !== 0) throw new Error("the checksum of an outer header is wrong");
  header.writeUInt16BE(0, 4);
  header.writeUInt16BE(0, 10);
}
