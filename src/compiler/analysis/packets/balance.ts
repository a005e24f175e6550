import { viewOf } from "../../semantics/bytes.js";
import { decode, type Packet } from "../../semantics/decode.js";
import { type BitRange, readBits } from "./bits.js";
import { type Built, checksumPlace, writeChecksums } from "./build.js";

/**
 * The packet with the transport checksum that `wanted` has in its place, which is right there, as a word of the payload makes up
 * for it. undefined: no bit of the checksum is asked for, or there is no word that is not asked for itself.
 */
export function withChecksum(
  built: Built,
  wanted: Uint8Array,
  asked: readonly BitRange[],
): Built | undefined {
  const decoded = decode(built.bytes, undefined, built.surroundings);
  const place = decoded.kind === "packet" && checksumPlace(decoded.packet);
  if (!place) return undefined;
  const checksum = place.start + place.offset;
  if (isFree(checksum, asked)) return undefined;
  const word = freeWord(decoded.packet, place.start, asked);
  if (word === undefined) return undefined;
  const bytes = built.bytes.slice();
  const view = viewOf(bytes);
  // All in ones' complement (RFC 1071): the sum without the checksum is its complement.
  const less = ~Number(readBits(wanted, bitsAt(checksum))) & 0xffff;
  const sum = view.getUint16(word) + view.getUint16(checksum) + less;
  view.setUint16(word, sum % 0xffff);
  writeChecksums(bytes);
  return { ...built, bytes };
}

/** The last word of the payload that nobody asks for. Words are counted from the transport header. */
function freeWord(
  { bytes, transport }: Packet,
  start: number,
  asked: readonly BitRange[],
): number | undefined {
  const header = transport?.header === "tcp" ? 4 * ((bytes[start + 12] ?? 0) >> 4) : 8;
  for (let word = start + ((bytes.length - start - 2) & ~1); word >= start + header; word -= 2)
    if (isFree(word, asked)) return word;
  return undefined;
}

function isFree(word: number, asked: readonly BitRange[]): boolean {
  const { start, width } = bitsAt(word);
  return asked.every((bits) => bits.start >= start + width || bits.start + bits.width <= start);
}

function bitsAt(word: number): BitRange {
  return { start: 8 * word, width: 16 };
}
