import { ADDRESS_BITS } from "../../ir/address.js";
import type { Test } from "../../ir/expr.js";
import { ADDRESS_FIELDS, CT_STATES } from "../../ir/fields.js";
import { bytesNeeded, type WireField } from "../../ir/wire.js";
import { ALONE, decode, type Packet } from "../../semantics/decode.js";
import { headerStart } from "../../semantics/headers.js";
import type { BitRange } from "./bits.js";
import { GRE, ICMP, type Shape, TCP, UDP } from "./shape.js";

/** A packet of a shape whose values are still open: bits that are not locked may be anything. */
export interface Template {
  readonly shape: Shape;
  /** The frame from the IP header on, and behind it what is known besides: see BESIDE. */
  readonly bytes: Uint8Array;
  /** 1 where the shape decides a bit. */
  readonly locked: Uint8Array;
  /** Bytes of the frame, padding included. */
  readonly frameLength: number;
  /** Where each header is; values in it mean nothing. */
  readonly packet: Packet;
}

/** Behind the frame: the VLAN tag (two bytes), the state of the connection, the protocol. */
const BESIDE = { vlan: 0, connection: 2, protocol: 3, length: 4 } as const;

const LOCKED = 0xff;
const FRAGMENT = 44;
const AUTHENTICATION = 51;

/** undefined: no well-formed packet has this shape. */
export function templateOf(shape: Shape): Template | undefined {
  const transport = transportOf(shape);
  const ip = shape.family === 4 ? ipv4(shape) : ipv6(shape);
  const whole = joined([ip, transport, piece(filler(shape.payload))]);
  const length = shape.length ?? whole.bytes.length;
  if (length < ip.bytes.length || (shape.padded && length >= whole.bytes.length)) return undefined;
  const frame = shape.padded ? whole : resized(whole, length);
  writeLength(frame.bytes, shape, length);

  const decoded = decode(frame.bytes);
  if (decoded.kind === "malformed") return undefined;
  const beside = piece([0, 0, ALONE.connection, decoded.packet.protocol ?? 0]);
  beside.locked[BESIDE.protocol] = LOCKED;
  const { bytes, locked } = joined([frame, beside]);
  return { shape, bytes, locked, frameLength: frame.bytes.length, packet: decoded.packet };
}

/** The bits that a test asks about; undefined: absent, so that it is false in every packet of the shape. */
export function bitsOf(test: Test, template: Template): BitRange | undefined {
  if (test.kind === "number" || test.kind === "bits") return bitsOfField(test.field, template);
  if (test.family !== template.shape.family) return undefined;
  return { start: 8 * ADDRESS_FIELDS[test.field].offset[test.family], width: ADDRESS_BITS[test.family] };
}

function bitsOfField(field: WireField, { shape, packet, frameLength }: Template): BitRange | undefined {
  const { width, offset } = field;
  const beside = (byte: number) => ({ start: 8 * (frameLength + byte) + offset, width });
  switch (field.header) {
    case "proto":
      return packet.protocol === null ? undefined : beside(BESIDE.protocol);
    case "ct":
      return beside(BESIDE.connection);
    case "vlan":
      return shape.tagged ? beside(BESIDE.vlan) : undefined;
    default: {
      const start = headerStart(packet, field.header);
      const isThere = start !== undefined && start + bytesNeeded(field) <= packet.bytes.length;
      return isThere ? { start: 8 * start + offset, width } : undefined;
    }
  }
}

/** The values that connection tracking can have, for the bits of its state. */
export const CONNECTIONS = Object.values(CT_STATES).map(BigInt);

export function connectionBits({ frameLength }: Template): BitRange {
  return { start: 8 * (frameLength + BESIDE.connection), width: 8 };
}

export function vlanBits({ frameLength }: Template): BitRange {
  return { start: 8 * (frameLength + BESIDE.vlan), width: 16 };
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly locked: Uint8Array;
}

/** `locked`: the offsets of bytes that the shape decides. */
function piece(bytes: ArrayLike<number>, ...locked: readonly number[]): Piece {
  const made = { bytes: Uint8Array.from(bytes), locked: new Uint8Array(bytes.length) };
  for (const at of locked) made.locked[at] = LOCKED;
  return made;
}

function joined(pieces: readonly Piece[]): Piece {
  return {
    bytes: Uint8Array.from(Buffer.concat(pieces.map(({ bytes }) => bytes))),
    locked: Uint8Array.from(Buffer.concat(pieces.map(({ locked }) => locked))),
  };
}

function resized({ bytes, locked }: Piece, length: number): Piece {
  const longer = joined([{ bytes, locked }, piece(filler(Math.max(0, length - bytes.length)))]);
  return { bytes: longer.bytes.subarray(0, length), locked: longer.locked.subarray(0, length) };
}

/** A value that no policy is likely to ask for. */
function filler(length: number): Uint8Array {
  return new Uint8Array(length).fill(0x5a);
}

function writeLength(bytes: Uint8Array, { family }: Shape, length: number): void {
  const said = family === 4 ? length : length - 40;
  bytes.set([said >> 8, said & 0xff], family === 4 ? 2 : 4);
}

const DEFAULT_TTL = 64;
/** Somebody on the Internet, from the ranges for documentation (RFC 5737, RFC 9637). */
const SOURCE = {
  4: [192, 0, 2, 7],
  6: [0x3f, 0xff, ...new Array(13).fill(0), 7],
} as const;

/** RFC 791. The addresses are values; the checksum comes last. */
function ipv4({ optionWords, fragment, protocol }: Shape): Piece {
  const flags = fragment ? (fragment.more ? 0x2000 : 0) | fragment.offset : 0;
  const fixed = [0x45 + optionWords, 0, 0, 0, 0, 0, flags >> 8, flags & 0xff, DEFAULT_TTL, protocol];
  // One option of an unknown kind, as long as there is room: the kernel steps over it (ip_options_compile).
  // As a route that is recorded it would be full: its pointer stands behind its end (RFC 791).
  const size = 4 * optionWords;
  const options = size === 0 ? [] : [0x5e, size, size + 1, ...new Array(size - 3).fill(0)];
  const header = piece([...fixed, 0, 0, ...SOURCE[4], 0, 0, 0, 0, ...options], 0, 2, 3, 7, 9, 10, 11, 21);
  // Not locked are the reserved bit and "don't fragment".
  header.locked[6] = 0x3f;
  return header;
}

/** RFC 8200. */
function ipv6({ extensions, fragment, protocol }: Shape): Piece {
  const kinds = [...extensions, ...(fragment ? [FRAGMENT] : [])];
  const follows = (index: number): number => kinds[index] ?? protocol;
  const addresses = [...SOURCE[6], ...new Array(16).fill(0)];
  const fixed = piece([0x60, 0, 0, 0, 0, 0, follows(0), DEFAULT_TTL, ...addresses], 4, 5, 6);
  fixed.locked[0] = 0xf0;
  const headers = kinds.map((kind, index) =>
    kind === FRAGMENT && fragment
      ? fragmentHeader(follows(index + 1), fragment)
      : extension(kind, follows(index + 1)),
  );
  return joined([fixed, ...headers]);
}

/** The two reserved bits are not locked. */
function fragmentHeader(next: number, { offset, more }: NonNullable<Shape["fragment"]>): Piece {
  const field = (offset << 3) | (more ? 1 : 0);
  const header = piece([next, 0, field >> 8, field & 0xff, 0, 0, 0, 1], 0, 2);
  header.locked[3] = 0xf9;
  return header;
}

/** Eight bytes: padding options (RFC 8200, section 4.2), a routing header without segments left, or an AH cut to no digest. */
function extension(kind: number, next: number): Piece {
  if (kind === AUTHENTICATION) return piece([next, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], 0, 1);
  return piece(kind === 43 ? [next, 0, 0, 0, 0, 0, 0, 0] : [next, 0, 1, 4, 0, 0, 0, 0], 0, 1, 2, 3);
}

/** Ports that stand for "any": a client's, and discard's. */
const PORTS = [0x9c, 0x40, 0, 9];
const SYN = 0x02;

/** A later fragment has the same bytes: as if they were a header, which they are not. */
function transportOf({ family, protocol, form, payload }: Shape): Piece {
  switch (protocol) {
    case TCP:
      return tcp(form);
    case UDP:
      return piece([...PORTS, (8 + payload) >> 8, (8 + payload) & 0xff, 0, 0]);
    case GRE:
      return gre(form);
    case ICMP[family]:
      return piece([family === 4 ? 8 : 128, 0, 0, 0, 0, 1, 0, 1]);
    default:
      return piece([]);
  }
}

/** RFC 9293. */
function tcp(form: Shape["form"]): Piece {
  const segment = [2, 4, 5, 0xb4];
  const options = form === "extended" ? segment : form === "moved" ? [1, 1, 1, 1, ...segment] : [];
  const words = form === "odd" ? 4 : 5 + options.length / 4;
  const header = [...PORTS, 0, 0, 0, 1, 0, 0, 0, 0, words << 4, SYN, 0xfa, 0xf0, 0, 0, 0, 0];
  const made = piece([...header, ...options]);
  made.locked[12] = 0xf0;
  made.locked.fill(LOCKED, 20);
  if (options.length > 0) made.locked.fill(0, made.bytes.length - 2);
  return made;
}

/** RFC 2784, RFC 2890: flags and version, the protocol that it carries, then what the flags announce. */
function gre(form: Shape["form"]): Piece {
  const key = [0, 0, 0, 7];
  switch (form) {
    case "plain":
      return piece([0, 0, 8, 0], 0, 1);
    case "extended":
      return piece([0x20, 0, 8, 0, ...key], 0, 1);
    case "moved":
      return piece([0xa0, 0, 8, 0, 0, 0, 0, 0, ...key], 0, 1);
    case "odd":
      return piece([0x20, 1, 8, 0, ...key], 0, 1);
  }
}
