import { invariant } from "../../diagnostics/invariant.js";
import { type Prefix, prefixContainsAddress } from "../../ir/address.js";
import { ADDRESS_FIELDS } from "../../ir/fields.js";
import type { Header } from "../../ir/headers.js";
import { decode, type Packet } from "../../semantics/decode.js";
import { headerStart } from "../../semantics/headers.js";
import { type Box, boxHas } from "../boxes.js";
import { has, type Ranges } from "../ranges.js";
import type { Space } from "../space.js";
import type { Asks } from "../variable.js";
import { withChecksum } from "./balance.js";
import { type BitRange, pick, readBits, writeBits } from "./bits.js";
import { type Built, finish } from "./build.js";
import type { Shape } from "./shape.js";
import { templatesIn, type Wanted } from "./shapes-in.js";
import { connectionBits, type Template, vlanBits } from "./template.js";
import { answerOf, valuesOf } from "./values.js";

/** A packet, what the reference finds in it, and the shape that it was made in. */
export interface Found extends Built {
  readonly packet: Packet;
  readonly shape: Shape;
}

/** So many shapes are tried; the plainest of those that fit come first. */
const MOST_SHAPES = 300;

/**
 * A packet to one of the prefixes whose values the box holds, as the reference reads them; undefined: none was found, which does
 * not say that there is none. What the box leaves open is as plain as can be. `accepts` may ask for more.
 */
export function packetIn(
  box: Box,
  space: Space,
  prefixes: readonly Prefix[],
  accepts: (packet: Packet) => boolean = () => true,
): Found | undefined {
  const asked = wantedOf(box, space);
  let tried = 0;
  for (const template of templatesIn(asked, prefixes)) {
    if (++tried > MOST_SHAPES) return undefined;
    if (!hasBuild(template, asked)) continue;
    for (const built of written(template, asked, prefixes)) {
      const decoded = decode(built.bytes, undefined, built.surroundings);
      if (decoded.kind !== "packet") continue;
      const { packet } = decoded;
      if (!prefixes.some((prefix) => prefixContainsAddress(prefix, packet.destination))) continue;
      if (boxHas(box, valuesOf(packet, space)) && accepts(packet))
        return { ...built, packet, shape: template.shape };
    }
  }
  return undefined;
}

function wantedOf({ restricts }: Box, space: Space): readonly Wanted[] {
  return [...restricts].map(([index, allows]) => {
    const variable = space.variables[index];
    invariant(variable, "a box restricts variables of its space");
    return { asks: variable.asks, allows };
  });
}

/** What no value changes is as it is wanted: it is quickly seen that most shapes are not. */
function hasBuild({ packet }: Template, wanted: readonly Wanted[]): boolean {
  return wanted.every(({ asks, allows }) => {
    const isValue = asks.kind === "address" || asks.kind === "bits";
    const isBeside = asks.kind === "part" && asks.header === "vlan";
    return isValue || isBeside || has(allows, answerOf(packet, asks));
  });
}

/**
 * The template with the values that are wanted; where the shape decides otherwise, they stay as they are. If one of them is of a
 * checksum, it is tried to have that, too.
 */
function* written(
  template: Template,
  wanted: readonly Wanted[],
  prefixes: readonly Prefix[],
): Generator<Built> {
  const bytes = template.bytes.slice();
  writeDestination(bytes, template, prefixes);
  const places: BitRange[] = [];
  for (const { asks, allows } of wanted) {
    const bits = placeOf(asks, template);
    if (!bits) continue;
    writeValue(bytes, template.locked, bits, allows);
    places.push(bits);
  }
  const built = finish(template, bytes);
  yield built;
  const balanced = withChecksum(built, bytes, places);
  if (balanced) yield balanced;
}

/** An address that the prefix of a customer's network is not itself. */
function writeDestination(bytes: Uint8Array, { shape }: Template, prefixes: readonly Prefix[]): void {
  const owned = prefixes.find(({ family }) => family === shape.family);
  if (!owned) return;
  const width = shape.family === 4 ? 32 : 128;
  const host = owned.length < width ? 1n : 0n;
  writeBits(bytes, { start: 8 * ADDRESS_FIELDS["ip.dst"].offset[shape.family], width }, owned.base | host);
}

function placeOf(asks: Asks, template: Template): BitRange | undefined {
  if (asks.kind === "address") {
    if (asks.family !== template.shape.family) return undefined;
    return { start: 8 * (ADDRESS_FIELDS[asks.field].offset[asks.family] + 4 * asks.chunk), width: 32 };
  }
  if (asks.kind !== "bits") return undefined;
  const { headers, offset, width } = asks;
  const start = headers.map((header) => startOf(header, template)).find((bit) => bit !== undefined);
  if (start === undefined || start + offset + width > 8 * template.bytes.length) return undefined;
  return { start: start + offset, width };
}

/** In bits. */
function startOf(header: Header, template: Template): number | undefined {
  switch (header) {
    case "ct":
      return connectionBits(template).start;
    case "vlan":
      return template.shape.tagged ? vlanBits(template).start : undefined;
    case "proto":
      return undefined;
    default: {
      const start = headerStart(template.packet, header);
      return start === undefined ? undefined : 8 * start;
    }
  }
}

function writeValue(bytes: Uint8Array, locked: Uint8Array, bits: BitRange, allows: Ranges): void {
  const now = readBits(bytes, bits);
  if (has(allows, Number(now))) return;
  const mask = readBits(locked, bits);
  const ranges = intervalsOf(mask === 0n ? allows.subarray(0, 2) : allows);
  const value = pick({ ranges, some: [], none: 0n }, { mask, value: now & mask }, bits.width, now);
  if (value !== undefined) writeBits(bytes, bits, value);
}

function intervalsOf(ranges: Ranges): readonly { readonly low: bigint; readonly high: bigint }[] {
  return Array.from({ length: ranges.length / 2 }, (_, index) => ({
    low: BigInt(ranges[2 * index] ?? 0),
    high: BigInt(ranges[2 * index + 1] ?? 0),
  }));
}
