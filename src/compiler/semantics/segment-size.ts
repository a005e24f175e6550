import type { Tunnel } from "../ir/policy.js";
import { viewOf } from "./bytes.js";
import { decode, type Packet } from "./decode.js";

const SYN = 0x02;
const LEAST_HEADER = 20;
/** Kinds of TCP options (RFC 9293, section 3.1). The first two have no length. */
const OPTION = { end: 0, noOperation: 1, segmentSize: 2 } as const;
const SEGMENT_SIZE_BYTES = 4;

/**
 * A packet as it goes into a tunnel or comes out of it: where it opens a TCP connection and promises to take larger segments than
 * `mss` says, it promises no more than that (docs/semantics.md, "What a tunnel does to a packet"). All else stays as it is.
 */
export function lowerSegmentSize(bytes: Uint8Array, mss: Tunnel["mss"]): Uint8Array {
  const decoded = decode(bytes);
  if (mss === null || decoded.kind === "malformed") return bytes;
  const at = segmentSizeAt(decoded.packet);
  const largest = mss[decoded.packet.family];
  if (at === undefined || viewOf(bytes).getUint16(at.value) <= largest) return bytes;
  const lowered = Uint8Array.from(bytes);
  const view = viewOf(lowered);
  const before = view.getUint16(at.value);
  view.setUint16(at.value, largest);
  const isOdd = (at.value - at.checksum) % 2 === 1;
  view.setUint16(at.checksum, mended(view.getUint16(at.checksum), before, largest, isOdd));
  return lowered;
}

/** Where the value of the option stands, and TCP's checksum; undefined where nothing is promised. */
function segmentSizeAt({ bytes, transport }: Packet): { value: number; checksum: number } | undefined {
  if (transport?.header !== "tcp") return undefined;
  const { offset } = transport;
  const flags = bytes[offset + 13];
  const end = offset + ((bytes[offset + 12] ?? 0) >> 4) * 4;
  if (flags === undefined || (flags & SYN) === 0 || end > bytes.length) return undefined;
  for (let at = offset + LEAST_HEADER; at < end - 1; ) {
    const [kind, length = 0] = bytes.subarray(at, at + 2);
    // As Linux reads it (optlen, nft_exthdr.c): what has no length, or says 0, takes one byte.
    const size = kind === OPTION.end || kind === OPTION.noOperation || length === 0 ? 1 : length;
    if (kind === OPTION.segmentSize)
      return at + size <= end && size >= SEGMENT_SIZE_BYTES
        ? { value: at + 2, checksum: offset + 16 }
        : undefined;
    at += size;
  }
  return undefined;
}

/** RFC 1624, equation 3. A word at an odd place counts with its bytes the other way round (RFC 1071, section 2). */
function mended(checksum: number, before: number, after: number, isOdd: boolean): number {
  const word = (value: number) => (isOdd ? ((value & 0xff) << 8) | (value >> 8) : value);
  let sum = (~checksum & 0xffff) + (~word(before) & 0xffff) + word(after);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
