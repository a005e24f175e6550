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
