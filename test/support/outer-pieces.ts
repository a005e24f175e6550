import { familyOf, withEcn, writeChecksum } from "./outer-packets.js";

/** Routers on the way cut packets up (RFC 791, section 3.2; of IPv6 only senders do, RFC 8200, section 4.5). */

/** Where a piece begins and ends, in bytes behind the header. */
type Part = readonly [from: number, to: number];

/** Pieces of a packet without options, of one identification. What ends where the packet does is the last one. */
function piecesOf(packet: Buffer, parts: readonly Part[], id: number): readonly Buffer[] {
  const isIpv6 = familyOf(packet) === 6;
  const [header, body] = [packet.subarray(0, isIpv6 ? 40 : 20), packet.subarray(isIpv6 ? 40 : 20)];
  return parts.map(([from, to]) => {
    const more = to < body.length;
    return (isIpv6 ? piece6 : piece4)(header, body.subarray(from, to), { from, more, id });
  });
}

/** Everything, cut at these places. */
export function cutAt(packet: Buffer, places: readonly number[], id: number): readonly Buffer[] {
  const end = packet.length - (familyOf(packet) === 6 ? 40 : 20);
  const parts = [0, ...places].map((from, index): Part => [from, places[index] ?? end]);
  return piecesOf(packet, parts, id);
}

interface Place {
  readonly from: number;
  readonly more: boolean;
  readonly id: number;
}

function piece4(header: Buffer, data: Buffer, { from, more, id }: Place): Buffer {
  const own = Buffer.from(header);
  own.writeUInt16BE(own.length + data.length, 2);
  own.writeUInt16BE(id, 4);
  own.writeUInt16BE((more ? 0x2000 : 0) | (from / 8), 6);
  return Buffer.concat([writeChecksum(own), data]);
}

const FRAGMENT = 44;

function piece6(header: Buffer, data: Buffer, { from, more, id }: Place): Buffer {
  const [own, extension] = [Buffer.from(header), Buffer.alloc(8)];
  extension.writeUInt8(own.readUInt8(6), 0);
  extension.writeUInt16BE(from | (more ? 1 : 0), 2);
  extension.writeUInt32BE(id, 4);
  own.writeUInt16BE(extension.length + data.length, 4);
  own.writeUInt8(FRAGMENT, 6);
  return Buffer.concat([own, extension, data]);
}

/** The outer packet, in pieces of this identification; the next one is another packet's. */
export type Cut = (outer: Buffer, id: number) => readonly Buffer[];

const END = 1 << 16;
const inOrder: Cut = (outer, id) => cutAt(outer, [800], id);

/** Ways to cut a packet of 1,400 bytes up, after which it is whole again. */
export const WHOLE: Readonly<Record<string, Cut>> = {
  "in two": inOrder,
  "the last one first": (outer, id) => [...inOrder(outer, id)].reverse(),
  "in many, of which the first comes last": (outer, id) => {
    const [first, ...rest] = cutAt(outer, [8, 16, 400, 408, 1000, 1200], id);
    return first ? [...rest.reverse(), first] : [];
  },
  "one of them twice": (outer, id) => {
    const [first, last] = inOrder(outer, id);
    return first && last ? [first, first, last] : [];
  },
  "one of them met congestion": (outer, id) => {
    const [first, last] = inOrder(withEcn(outer, 2), id);
    return first && last ? [first, withEcn(last, 3)] : [];
  },
};

/** Such that nothing may come of, which shows with the second piece. */
export const WRONG: Readonly<Record<string, Cut>> = {
  "they overlap": (outer, id) =>
    piecesOf(
      outer,
      [
        [0, 800],
        [792, END],
      ],
      id,
    ),
  "only one knows of congestion": (outer, id) => {
    const [first, last] = inOrder(withEcn(outer, 0), id);
    return first && last ? [first, withEcn(last, 2)] : [];
  },
};

/** And such of which pieces go on to wait. */
export const IN_VAIN: Readonly<Record<string, Cut>> = {
  "the first one is missing": (outer, id) => inOrder(outer, id).slice(1),
  "the last one is missing": (outer, id) => inOrder(outer, id).slice(0, 1),
  "one in the middle is missing": (outer, id) => cutAt(outer, [400, 800], id).filter((_, at) => at !== 1),
  "they overlap, and leave as much out": (outer, id) =>
    piecesOf(
      outer,
      [
        [0, 800],
        [792, 1000],
        [1008, END],
      ],
      id,
    ),
  "of two packets": (outer, id) =>
    inOrder(outer, id).map((piece, at) => (at ? withId(piece, id + 1) : piece)),
};

function withId(piece: Buffer, id: number): Buffer {
  const copy = Buffer.from(piece);
  if (familyOf(copy) === 6) copy.writeUInt32BE(id, 44);
  else writeChecksum(copy).writeUInt16BE(id, 4);
  return familyOf(copy) === 6 ? copy : writeChecksum(copy);
}
