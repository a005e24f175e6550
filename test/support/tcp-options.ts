import { internetChecksum, pseudoHeader } from "../../src/compiler/semantics/checksum.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

export const SYN = 0x02;
export const SYN_ACK = 0x12;
export const ACK = 0x10;

/** A TCP packet with these options (hex, a multiple of 4 bytes), and a right checksum. */
export function tcpPacket(
  [source, destination]: readonly [string, string],
  flags: number,
  options: string,
): Uint8Array {
  const is4 = source.includes(".");
  const end = (address: string) => (is4 ? address : `[${address}]`);
  const parsed = parsePacket(`tcp ${end(source)}:4000 > ${end(destination)}:80`);
  if (parsed.kind !== "packet") throw new Error("the packet is well-formed");
  const header = is4 ? 20 : 40;
  const extra = Buffer.from(options.replaceAll(" ", ""), "hex");
  const bytes = Buffer.concat([parsed.bytes.subarray(0, header + 20), extra]);
  if (is4) bytes.writeUInt16BE(bytes.length, 2);
  else bytes.writeUInt16BE(bytes.length - header, 4);
  bytes[header + 12] = ((20 + extra.length) / 4) << 4;
  bytes[header + 13] = flags;
  bytes.writeUInt16BE(0, header + 16);
  bytes.writeUInt16BE(checksum(bytes, header), header + 16);
  if (is4) {
    bytes.writeUInt16BE(0, 10);
    bytes.writeUInt16BE(internetChecksum(bytes.subarray(0, 20)), 10);
  }
  return bytes;
}

function checksum(bytes: Buffer, header: number): number {
  const [from, size] = header === 20 ? [12, 4] : [8, 16];
  const source = bytes.subarray(from, from + size);
  const destination = bytes.subarray(from + size, from + 2 * size);
  const pseudo = pseudoHeader(source, destination, 6, bytes.length - header);
  return internetChecksum(pseudo, bytes.subarray(header));
}
