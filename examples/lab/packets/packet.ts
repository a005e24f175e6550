import { parsePacket } from "../../../src/compiler/semantics/packet-text.js";

/** The bytes of a packet that the demo writes as text; what does not parse is the demo's own mistake. */
export function packetBytes(text: string): Buffer {
  const parsed = parsePacket(text);
  if (parsed.kind === "packet") return Buffer.from(parsed.bytes);
  throw new Error(`${text}: ${parsed.problems.map((problem) => problem.message).join("; ")}`);
}

/** TTL (or hop limit) of an IP packet. */
export function ttl(packet: Buffer): number {
  return packet.readUInt8(version(packet) === 6 ? 7 : 8);
}

/** Routers change the TTL and, with it, IPv4's header checksum. All else must arrive as it was sent. */
export function sameButTtl(a: Buffer, b: Buffer): boolean {
  return withoutTtl(a).equals(withoutTtl(b));
}

function withoutTtl(packet: Buffer): Buffer {
  const copy = Buffer.from(packet.subarray(0, ownLength(packet)));
  if (version(copy) === 6) copy.writeUInt8(0, 7);
  else {
    copy.writeUInt8(0, 8);
    copy.writeUInt16BE(0, 10);
  }
  return copy;
}

/** Ethernet pads short frames; the padding is not the packet's. */
function ownLength(packet: Buffer): number {
  return version(packet) === 6 ? 40 + packet.readUInt16BE(4) : packet.readUInt16BE(2);
}

function version(packet: Buffer): number {
  return packet.readUInt8(0) >> 4;
}
