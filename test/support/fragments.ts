import { writeHeaderChecksum } from "../../src/compiler/semantics/checksum.js";
import { wholeDatagram } from "../../src/compiler/semantics/datagram.js";
import { decode } from "../../src/compiler/semantics/decode.js";

let fragments = 0;

/**
 * The packet, a fragment with an identification of its own: it must not meet another one of its datagram, of this run or
 * of one before it, whose parts the kernel still holds.
 */
export function apart(bytes: Uint8Array): Uint8Array {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return bytes;
  const { family, fragmentHeader } = decoded.packet;
  if (fragmentHeader === null && wholeDatagram(decoded.packet)) return bytes;
  const copy = Buffer.from(bytes);
  fragments++;
  if (family === 6) {
    const at = (fragmentHeader ?? 0) + 4;
    if (at + 4 <= copy.length) copy.writeUInt32BE(fragments, at);
  } else {
    copy.writeUInt16BE(fragments % 0x10000, 4);
    writeHeaderChecksum(copy);
  }
  return copy;
}

const FRAGMENT = 44;

/**
 * A whole packet without extension headers as fragments (RFC 791, RFC 8200, section 4.5): of so many bytes of data, a multiple
 * of 8, and a last one of what is left.
 */
export function cutUp(whole: Uint8Array, size: number, id: number): readonly Uint8Array[] {
  const isIpv6 = (whole[0] ?? 0) >> 4 === 6;
  const headerLength = isIpv6 ? 40 : ((whole[0] ?? 0) & 15) * 4;
  const packet = Buffer.from(whole);
  const length = isIpv6 ? 40 + packet.readUInt16BE(4) : packet.readUInt16BE(2);
  const data = packet.subarray(headerLength, length);
  const header = packet.subarray(0, headerLength);
  const fragmentOf = isIpv6 ? fragment6 : fragment4;
  return Array.from({ length: Math.ceil(data.length / size) }, (_, index) => {
    const start = index * size;
    const part = data.subarray(start, start + size);
    return fragmentOf(header, part, { start, more: start + size < data.length, id });
  });
}

interface Place {
  readonly start: number;
  readonly more: boolean;
  readonly id: number;
}

function fragment4(header: Buffer, part: Buffer, { start, more, id }: Place): Uint8Array {
  const bytes = Buffer.concat([header, part]);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt16BE(id, 4);
  bytes.writeUInt16BE((more ? 0x2000 : 0) | (start / 8), 6);
  writeHeaderChecksum(bytes);
  return bytes;
}

function fragment6(header: Buffer, part: Buffer, { start, more, id }: Place): Uint8Array {
  const fragment = Buffer.alloc(8);
  fragment.writeUInt8(header[6] ?? 0, 0);
  fragment.writeUInt16BE(start | (more ? 1 : 0), 2);
  fragment.writeUInt32BE(id, 4);
  const bytes = Buffer.concat([header, fragment, part]);
  bytes.writeUInt16BE(fragment.length + part.length, 4);
  bytes.writeUInt8(FRAGMENT, 6);
  return bytes;
}
