import { ipv4HeaderLength, viewOf } from "./bytes.js";
import { writeHeaderChecksum } from "./checksum.js";
import type { Packet } from "./decode.js";
import { extensionLength, IPV6_HEADER, isExtension } from "./extensions.js";

const FRAGMENT_HEADER = 8;
const MAX_LENGTH = 65_535;
const DONT_FRAGMENT = 0x4000;
/** "Congestion experienced" (RFC 3168). */
const CONGESTED = 3;

/** "No next header" (RFC 8200, section 4.7). */
const NOTHING = 59;
/** Bytes of the headers that a first fragment must hold whole, by protocol number; of any other it must hold one. */
const WHOLE_HEADERS: ReadonlyMap<number, number> = new Map([
  [6, 20],
  [17, 8],
  [58, 8],
]);

/** A part of a datagram. */
export interface Piece {
  readonly packet: Packet;
  /** What distinguishes its datagram from others between the same hosts. */
  readonly id: string;
  /** Where its data lies in the datagram's, in bytes; `end` is behind it. */
  readonly start: number;
  readonly end: number;
  readonly more: boolean;
  readonly data: Uint8Array;
}

/** null: the packet is no fragment. An IPv6 packet with a fragment header is one, even if it is the whole datagram. */
export function pieceOf(packet: Packet): Piece | null {
  return packet.family === 4 ? pieceOf4(packet) : pieceOf6(packet);
}

/** RFC 791. Data of a piece before the last is cut to a multiple of 8 bytes (ip_frag_queue). */
function pieceOf4(packet: Packet): Piece | null {
  const { bytes, protocol } = packet;
  const field = twoBytes(bytes, 6);
  const more = (field & 0x2000) !== 0;
  const start = (field & 0x1fff) * 8;
  if (!more && start === 0) return null;
  const data = bytes.subarray(ipv4HeaderLength(bytes));
  const length = more ? data.length & ~7 : data.length;
  const id = `${protocol} ${twoBytes(bytes, 4)}`;
  return { packet, id, start, end: start + length, more, data: data.subarray(0, length) };
}

/** RFC 8200, section 4.5. The protocol is not part of the identity. */
function pieceOf6(packet: Packet): Piece | null {
  const { bytes, fragmentHeader } = packet;
  if (fragmentHeader === null) return null;
  const field = twoBytes(bytes, fragmentHeader + 2);
  const start = field & 0xfff8;
  const data = bytes.subarray(fragmentHeader + FRAGMENT_HEADER);
  const id = `${twoBytes(bytes, fragmentHeader + 4)} ${twoBytes(bytes, fragmentHeader + 6)}`;
  return { packet, id, start, end: start + data.length, more: (field & 1) !== 0, data };
}

/** A first fragment holds all headers, the transport's too (RFC 8200, section 4.5; ipv6frag_thdr_truncated). */
export function beginsTruncated({ start, data, packet }: Piece): boolean {
  if (packet.family === 4 || start !== 0) return false;
  let at = 0;
  let type = packet.bytes[packet.fragmentHeader ?? 0] ?? 0;
  while (isExtension(type)) {
    const [next, length] = data.subarray(at, at + 2);
    // Behind an AH a header may be cut, which decode.ts is content with.
    if (next === undefined || length === undefined) return false;
    at += extensionLength(type, length);
    type = next;
  }
  return type !== NOTHING && at + (WHOLE_HEADERS.get(type) ?? 1) > data.length;
}

/** The datagram of these pieces, which have no hole: the header of the first, with what says that it is one. */
export function joinPieces(pieces: readonly Piece[]): Uint8Array | undefined {
  const sorted = [...pieces].sort((a, b) => a.start - b.start);
  const [first] = sorted;
  const congestion = congestionOf(pieces);
  if (!first || congestion === undefined) return undefined;
  const header = first.packet.family === 4 ? header4(first, pieces) : header6(first);
  const whole = Uint8Array.from(Buffer.concat([header, ...sorted.map(({ data }) => data)]));
  return first.packet.family === 4 ? finish4(whole, congestion) : finish6(whole, congestion);
}

/** What the parts' congestion bits add to the whole's; undefined: they contradict one another (RFC 3168, section 5.3). */
function congestionOf(pieces: readonly Piece[]): number | undefined {
  const seen = new Set(
    pieces.map(
      ({ packet: { bytes, family } }) => (family === 4 ? (bytes[1] ?? 0) : (bytes[1] ?? 0) >> 4) & 3,
    ),
  );
  if (seen.has(0) && seen.size > 1) return undefined;
  return seen.has(CONGESTED) ? CONGESTED : 0;
}

function header4({ packet: { bytes } }: Piece, pieces: readonly Piece[]): Uint8Array {
  const header = Uint8Array.from(bytes.subarray(0, ipv4HeaderLength(bytes)));
  // "Don't fragment" holds for the whole if it was said by the largest part (ip_frag_reasm).
  const size = (piece: Piece) => piece.packet.bytes.length;
  const largest = Math.max(...pieces.map(size));
  const whole = pieces.some(
    (piece) => size(piece) === largest && (twoBytes(piece.packet.bytes, 6) & DONT_FRAGMENT) !== 0,
  );
  viewOf(header).setUint16(6, whole ? DONT_FRAGMENT : 0);
  return header;
}

function finish4(whole: Uint8Array, congestion: number): Uint8Array | undefined {
  if (whole.length > MAX_LENGTH) return undefined;
  const view = viewOf(whole);
  view.setUint8(1, (whole[1] ?? 0) | congestion);
  view.setUint16(2, whole.length);
  writeHeaderChecksum(whole);
  return whole;
}

/** Everything before the fragment header, whose place in the chain the header behind it takes. */
function header6({ packet: { bytes, fragmentHeader } }: Piece): Uint8Array {
  const at = fragmentHeader ?? bytes.length;
  const header = Uint8Array.from(bytes.subarray(0, at));
  header[nextHeaderBefore(bytes, at)] = bytes[at] ?? 0;
  return header;
}

function finish6(whole: Uint8Array, congestion: number): Uint8Array | undefined {
  if (whole.length - IPV6_HEADER > MAX_LENGTH) return undefined;
  whole[1] = (whole[1] ?? 0) | (congestion << 4);
  viewOf(whole).setUint16(4, whole.length - IPV6_HEADER);
  return whole;
}

/** Offset of the byte that announces the header at `target`. */
function nextHeaderBefore(bytes: Uint8Array, target: number): number {
  let announcedAt = 6;
  for (let at = IPV6_HEADER; at < target; ) {
    const type = bytes[announcedAt] ?? 0;
    announcedAt = at;
    at += extensionLength(type, bytes[at + 1] ?? 0);
  }
  return announcedAt;
}

function twoBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
