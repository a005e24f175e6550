import { ipv4HeaderLength, viewOf } from "../../compiler/semantics/bytes.js";
import { writeHeaderChecksum } from "../../compiler/semantics/checksum.js";
import { ALONE, decode, type Packet } from "../../compiler/semantics/decode.js";
import type { TestPacket } from "../../verify/packets.js";

/**
 * Packets that are simpler than this one, the boldest first: without what stands around it, shorter, with zeros and
 * customary values. Each has fewer bytes, or fewer that are not customary, so that taking one after another ends.
 */
export function smallerPackets(packet: TestPacket): readonly TestPacket[] {
  const { bytes, surroundings } = packet;
  const plainer =
    surroundings.vlan === null ? [] : [{ ...packet, surroundings: { ...surroundings, vlan: ALONE.vlan } }];
  return [...plainer, ...smallerBytes(bytes).map((smaller) => ({ ...packet, bytes: smaller }))];
}

function smallerBytes(bytes: Uint8Array): readonly Uint8Array[] {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return shorter(bytes, 0);
  const { packet } = decoded;
  const own = packet.bytes.length < bytes.length ? [packet.bytes] : [];
  const header = packet.family === 4 ? 20 : 40;
  return [
    ...own,
    ...withoutOptions(packet),
    ...shorter(packet.bytes, header).map(withLength),
    ...zeroed(packet.bytes, header),
    ...customary(packet),
  ].filter((smaller) => !same(smaller, bytes));
}

/** Cut at the end, at least half of what may go first. */
function shorter(bytes: Uint8Array, atLeast: number): readonly Uint8Array[] {
  const spare = bytes.length - atLeast;
  const cuts = new Set([spare, spare >> 1, spare >> 2, 8, 4, 1]);
  return [...cuts]
    .filter((cut) => cut > 0 && cut <= spare)
    .sort((a, b) => b - a)
    .map((cut) => bytes.subarray(0, bytes.length - cut));
}

/** IPv4 without its options; IPv6 without its first extension header, where the length of that is known. */
function withoutOptions({ family, bytes }: Packet): readonly Uint8Array[] {
  if (family === 4) {
    const length = ipv4HeaderLength(bytes);
    if (length === 20) return [];
    const plain = joined(bytes.subarray(0, 20), bytes.subarray(length));
    plain[0] = 0x45;
    return [withLength(plain)];
  }
  if (![0, 43, 60].includes(bytes[6] ?? 0)) return [];
  const plain = joined(bytes.subarray(0, 40), bytes.subarray(40 + 8 * ((bytes[41] ?? 0) + 1)));
  plain[6] = bytes[40] ?? 0;
  return [withLength(plain)];
}

/** With zeros behind the IP header: everywhere, in halves and quarters, then byte by byte. */
function zeroed(bytes: Uint8Array, from: number): readonly Uint8Array[] {
  const size = bytes.length - from;
  const steps = [...new Set([size, size >> 1, size >> 2, 1])].filter((step) => step > 0);
  return steps.flatMap((step) =>
    Array.from({ length: Math.ceil(size / step) }, (_, index) => {
      const copy = Uint8Array.from(bytes);
      copy.fill(0, from + index * step, Math.min(bytes.length, from + (index + 1) * step));
      return copy;
    }),
  );
}

/** The IP header's bytes that say little, by offset, and their customary values; the addresses' bytes as zeros. */
const CUSTOMARY = {
  4: [[1, 0], [4, 0], [5, 0], [6, 0], [7, 0], [8, 64], ...zeros(12, 20)],
  6: [[0, 0x60], [1, 0], [2, 0], [3, 0], [7, 64], ...zeros(8, 40)],
} as const satisfies Record<4 | 6, readonly (readonly [offset: number, value: number])[]>;

function zeros(from: number, to: number): readonly (readonly [number, number])[] {
  return Array.from({ length: to - from }, (_, index) => [from + index, 0] as const);
}

function customary({ family, bytes }: Packet): readonly Uint8Array[] {
  return CUSTOMARY[family].map(([offset, value]) => {
    const copy = Uint8Array.from(bytes);
    copy[offset] = value;
    return withChecksum(copy);
  });
}

/** With the length of what is left. */
function withLength(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const version = (copy[0] ?? 0) >> 4;
  const view = viewOf(copy);
  if (version === 4 && copy.length >= 20) view.setUint16(2, copy.length);
  if (version === 6 && copy.length >= 40) view.setUint16(4, copy.length - 40);
  return withChecksum(copy);
}

/** The kernel drops an IPv4 packet with a wrong header checksum before any rule (ip_rcv_core). */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const length = ipv4HeaderLength(bytes);
  if ((bytes[0] ?? 0) >> 4 !== 4 || length < 20 || length > bytes.length) return bytes;
  const copy = Uint8Array.from(bytes);
  writeHeaderChecksum(copy);
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
