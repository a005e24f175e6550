import { type Built, writeChecksums } from "../compiler/analysis/packets/build.js";
import { TCP, UDP } from "../compiler/analysis/packets/shape.js";
import { decode, type Packet } from "../compiler/semantics/decode.js";

/** A packet that was made from another one, and how. */
export interface Variant extends Built {
  readonly how: string;
}

/**
 * What could be taken for the packet, or hides what it is: another protocol with the same bytes, the packet as a fragment of
 * each kind, behind options or extension headers, and cut behind each byte of `ends`, with padding and without.
 * `ends` are bytes from the start of the transport header.
 */
export function variantsOf(built: Built, ends: readonly number[]): readonly Variant[] {
  const decoded = decode(built.bytes);
  if (decoded.kind === "malformed") return [];
  const { packet } = decoded;
  const made = packet.family === 4 ? variants4(packet) : variants6(packet);
  return [...made, ...cuts(packet, ends)].map(({ how, bytes, padding = "" }) => {
    writeChecksums(bytes);
    const padded =
      padding === "" ? bytes : Uint8Array.from(Buffer.concat([bytes, Buffer.from(padding, "hex")]));
    return { how, bytes: padded, surroundings: built.surroundings };
  });
}

interface Made {
  readonly how: string;
  readonly bytes: Uint8Array;
  /** In hexadecimal. */
  readonly padding?: string;
}

const SCTP = 132;
const UDPLITE = 136;

/** Protocols whose header looks alike, and one whose does not. */
function otherProtocols(packet: Packet, at: number): readonly Made[] {
  const others = [TCP, UDP, UDPLITE, SCTP].filter((protocol) => protocol !== packet.protocol);
  return others.map((protocol) => ({ how: `protocol ${protocol}`, bytes: changed(packet, [at, protocol]) }));
}

function variants4(packet: Packet): readonly Made[] {
  const fragment = (how: string, field: number): Made => {
    return { how, bytes: changed(packet, [6, field >> 8], [7, field & 0xff]) };
  };
  return [
    ...otherProtocols(packet, 9),
    fragment("first fragment", 0x2000),
    fragment("later fragment", 0x20b9),
    fragment("last fragment", 185),
    ...withOptions(packet),
  ];
}

/** An option of an unknown kind, one word long, which the kernel steps over. */
function withOptions(packet: Packet): readonly Made[] {
  const { bytes } = packet;
  const words = (bytes[0] ?? 0) & 15;
  if (words > 14) return [];
  const longer = inserted(bytes, 4 * words, [0x5e, 4, 0, 0]);
  longer[0] = (bytes[0] ?? 0) + 1;
  return [{ how: "IPv4 options", bytes: withLength(longer, 4) }];
}

/** IPv6 packets whose transport follows at once are the ones that extension headers are put into. */
function variants6(packet: Packet): readonly Made[] {
  const { bytes } = packet;
  if (bytes[6] !== packet.protocol) return [];
  const chained = (how: string, kind: number, header: readonly number[]): Made => {
    const longer = inserted(bytes, 40, [packet.protocol ?? 0, ...header]);
    longer[6] = kind;
    return { how, bytes: withLength(longer, 6) };
  };
  const fragment = (how: string, field: number): Made => {
    return chained(how, 44, [0, field >> 8, field & 0xff, 0, 0, 0, 1]);
  };
  return [
    ...otherProtocols(packet, 6),
    fragment("first fragment", 1),
    fragment("later fragment", (185 << 3) | 1),
    fragment("last fragment", 185 << 3),
    fragment("atomic fragment", 0),
    chained("hop-by-hop options", 0, [0, 1, 4, 0, 0, 0, 0]),
    chained("destination options", 60, [0, 1, 4, 0, 0, 0, 0]),
    chained("a routing header", 43, [0, 0, 0, 0, 0, 0, 0]),
    chained("an authentication header", 51, [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
  ];
}

/** One byte before the end of a field, and there. The bytes behind stay in one of them, where no field may see them. */
function cuts(packet: Packet, ends: readonly number[]): readonly Made[] {
  const { transport, bytes, family } = packet;
  if (!transport) return [];
  const lengths = [...new Set(ends.flatMap((end) => [end - 1, end]))].map((end) => transport.offset + end);
  return lengths
    .filter((length) => length < bytes.length)
    .flatMap((length) => {
      const cut = withLength(bytes.slice(0, length), family);
      const padding = Buffer.from(bytes.subarray(length)).toString("hex");
      const how = `cut to ${length} bytes`;
      return [
        { how, bytes: cut },
        { how: `${how}, padded`, bytes: cut.slice(), padding },
      ];
    });
}

function changed(
  { bytes }: Packet,
  ...changes: readonly (readonly [at: number, value: number])[]
): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

function inserted(bytes: Uint8Array, at: number, more: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]);
}

/** Writes the length that the packet has. */
export function withLength(bytes: Uint8Array, family: 4 | 6): Uint8Array {
  const [said, at] = family === 4 ? [bytes.length, 2] : [bytes.length - 40, 4];
  bytes.set([said >> 8, said & 0xff], at);
  return bytes;
}
