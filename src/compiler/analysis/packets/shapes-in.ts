import type { Family, Prefix } from "../../ir/address.js";
import { PROTOCOLS } from "../../ir/fields.js";
import type { Header } from "../../ir/headers.js";
import { headerStart } from "../../semantics/headers.js";
import { has, intersect, type Ranges, range } from "../ranges.js";
import { type Asks, TRANSPORTS, TRANSPORTS_OF, type TransportName, UNKNOWN_PROTOCOL } from "../variable.js";
import { type HeaderForm, plainShape, type Shape } from "./shape.js";
import { type Template, templateOf } from "./template.js";

/** What a box asks for, and of what. */
export interface Wanted {
  readonly asks: Asks;
  readonly allows: Ranges;
}

/** Templates of which packets may have the wanted values, the plainest first; not all that are given do. */
export function* templatesIn(wanted: readonly Wanted[], prefixes: readonly Prefix[]): Generator<Template> {
  const asked = new Asked(wanted);
  for (const family of [4, 6] as const) {
    if (!prefixes.some((prefix) => prefix.family === family)) continue;
    if (!asked.allows("family", family)) continue;
    for (const shape of structures(asked, family)) yield* lengths(asked, shape);
  }
}

/** Looks up what is wanted. */
class Asked {
  constructor(private readonly wanted: readonly Wanted[]) {}

  /** undefined: anything. */
  of(kind: "family" | "protocol" | "transport" | "length"): Ranges | undefined {
    return this.wanted.find(({ asks }) => asks.kind === kind)?.allows;
  }

  allows(kind: "family" | "protocol", value: number): boolean {
    const ranges = this.of(kind);
    return !ranges || has(ranges, value);
  }

  part(header: Header): Ranges | undefined {
    return this.wanted.find(({ asks }) => asks.kind === "part" && asks.header === header)?.allows;
  }

  /** What is wanted of bits that overlap these. */
  about(header: Header, offset: number, width: number): boolean {
    return this.wanted.some(
      ({ asks }) =>
        asks.kind === "bits" &&
        asks.headers.includes(header) &&
        asks.offset < offset + width &&
        offset < asks.offset + asks.width,
    );
  }

  /** Whether one of the values is wanted of exactly these bits. */
  allowsBits(header: Header, [offset, width]: readonly [number, number], values: readonly number[]): boolean {
    const found = this.wanted.find(
      ({ asks }) =>
        asks.kind === "bits" &&
        asks.headers.includes(header) &&
        asks.offset === offset &&
        asks.width === width,
    );
    return !found || values.some((value) => has(found.allows, value));
  }

  /** What is wanted of exactly these bits, or of bits with more above them. */
  numbers(header: Header, offset: number, width: number): readonly number[] {
    const found = this.wanted.find(
      ({ asks }) =>
        asks.kind === "bits" && asks.headers.includes(header) && asks.offset + asks.width === offset + width,
    );
    return found ? some(found.allows).map((value) => value % 2 ** width) : [];
  }
}

/** Ends of the first and the last few ranges: where what is unusual begins. */
function some(ranges: Ranges): readonly number[] {
  const ends = [...ranges.subarray(0, 8), ...ranges.subarray(-2)];
  return [...new Set(ends)];
}

const PAYLOAD = 8;
/** SCTP: a protocol that nothing is asked about. */
const OTHER_PROTOCOL = 132;
/** Of a header that IPv6 walks over: what follows on a later fragment cannot be known (RFC 8200). */
const DESTINATION_OPTIONS = 60;

function* structures(asked: Asked, family: Family): Generator<Shape> {
  for (const fragment of fragmentsOf(asked, family)) {
    for (const protocol of protocolsOf(asked, family, fragment)) {
      const plain = { ...plainShape(family, protocol, PAYLOAD), fragment };
      for (const headers of headersOf(asked, family)) {
        if (!isFirst(asked, { ...plain, ...headers })) continue;
        for (const form of formsOf(asked, protocol)) {
          yield { ...plain, ...headers, form, tagged: isTagged(asked) };
        }
      }
    }
  }
}

const FRAGMENT_HEADER = 44;

/** What the IP header says of itself and of what follows it. */
function isFirst(asked: Asked, { family, protocol, fragment, optionWords, extensions }: Shape): boolean {
  if (family === 4) return asked.allowsBits("ip4", [4, 4], [5 + optionWords]);
  return asked.allowsBits("ip6", [48, 8], [extensions[0] ?? (fragment ? FRAGMENT_HEADER : protocol)]);
}

function isTagged(asked: Asked): boolean {
  const tag = asked.part("vlan");
  return tag !== undefined && !has(tag, 0);
}

type Fragment = Shape["fragment"];
const SOME_OFFSET = 185;

function fragmentsOf(asked: Asked, family: Family): readonly Fragment[] {
  const isAsked =
    (family === 4 ? asked.about("ip4", 50, 14) : asked.about("fragment6", 16, 16)) ||
    asked.part("fragment6") !== undefined ||
    asked.of("transport") !== undefined;
  if (!isAsked && asked.allows("protocol", UNKNOWN_PROTOCOL) === asked.allows("protocol", OTHER_PROTOCOL))
    return [null];
  const offsets = family === 4 ? asked.numbers("ip4", 51, 13) : fragmentOffsets6(asked);
  const later = [SOME_OFFSET, ...offsets].filter((offset) => offset > 0);
  const all: readonly Fragment[] = [
    null,
    { offset: 0, more: true },
    ...(family === 6 ? [{ offset: 0, more: false }] : []),
    ...[...new Set(later)].flatMap((offset) => [
      { offset, more: false },
      { offset, more: true },
    ]),
  ];
  return all.filter((fragment) => isAllowed(asked, family, fragment));
}

/** As far as the bits of a fragment's place are asked together. */
function isAllowed(asked: Asked, family: Family, fragment: Fragment): boolean {
  const { offset, more } = fragment ?? { offset: 0, more: false };
  const bit = more ? 1 : 0;
  if (family === 4) {
    const isField = asked.allowsBits("ip4", [50, 14], [bit * 0x2000 + offset]);
    return isField && asked.allowsBits("ip4", [51, 13], [offset]) && asked.allowsBits("ip4", [50, 1], [bit]);
  }
  const part = asked.part("fragment6");
  if (fragment === null) return !part || has(part, 0);
  if (part?.length === 2 && part[1] === 0) return false;
  const fields = RESERVED.map((reserved) => 8 * offset + 2 * reserved + bit);
  return (
    asked.allowsBits("fragment6", [16, 16], fields) &&
    asked.allowsBits("fragment6", [16, 13], [offset]) &&
    asked.allowsBits("fragment6", [31, 1], [bit])
  );
}

/** Two bits that a shape leaves open. */
const RESERVED = [0, 1, 2, 3];

function fragmentOffsets6(asked: Asked): readonly number[] {
  const whole = asked.numbers("fragment6", 16, 16).map((field) => field >> 3);
  return [...asked.numbers("fragment6", 16, 13), ...whole];
}

function protocolsOf(asked: Asked, family: Family, fragment: Fragment): readonly number[] {
  const isLater = fragment !== null && fragment.offset > 0;
  const transport = asked.of("transport");
  const bytesOf = (kind: TransportName) =>
    range(TRANSPORTS[kind] * 0x1_0000, TRANSPORTS[kind] * 0x1_0000 + 0xffff);
  const fits = (kind: TransportName) =>
    isLater ? !transport || has(transport, 0) : !transport || intersect(transport, bytesOf(kind)).length > 0;
  const known = TRANSPORTS_OF[family].filter(([kind]) => fits(kind)).map(([, protocol]) => protocol);
  const asks = asked.of("protocol");
  const named = asks ? some(asks).filter((one) => one <= 255) : [];
  const said = family === 4 ? asked.numbers("ip4", 72, 8) : asked.numbers("ip6", 48, 8);
  const all = [...known, OTHER_PROTOCOL, ...named, ...said].filter((one) => asked.allows("protocol", one));
  const hidden = family === 6 && isLater && asked.allows("protocol", UNKNOWN_PROTOCOL);
  return [...new Set(hidden ? [...all, DESTINATION_OPTIONS] : all)];
}

type Headers = Pick<Shape, "optionWords" | "extensions">;

/** Options of IPv4, or extension headers of IPv6. */
function headersOf(asked: Asked, family: Family): readonly Headers[] {
  if (family === 4) {
    const isAsked = asked.part("ip4Option") !== undefined || asked.about("ip4", 4, 4);
    const words = isAsked ? [0, 1, 2, ...asked.numbers("ip4", 4, 4).map((all) => all - 5), 10] : [0];
    const possible = [...new Set(words)].filter((one) => one >= 0 && one <= 10);
    return possible.map((optionWords) => ({ optionWords, extensions: [] }));
  }
  const chains = asked.about("ip6", 48, 8) ? [[], [0], [60], [43], [51]] : [[], [51]];
  return chains.map((extensions) => ({ optionWords: 0, extensions }));
}

function formsOf(asked: Asked, protocol: number): readonly HeaderForm[] {
  const inside: readonly Header[] = protocol === PROTOCOLS.tcp ? ["tcpMss", "tcpPayload"] : ["greKey"];
  const isAsked =
    inside.some((header) => asked.part(header) !== undefined) ||
    (protocol === PROTOCOLS.tcp && asked.about("tcp", 96, 4)) ||
    (protocol === PROTOCOLS.gre && asked.about("gre", 0, 16));
  return isAsked ? ["plain", "extended", "moved", "odd"] : ["plain"];
}

/** The shape, longer or shorter where bytes of something are asked for. */
function* lengths(asked: Asked, shape: Shape): Generator<Template> {
  const template = templateOf(shape);
  if (!template) return;
  yield template;
  const found = new Set<number>();
  const add = (start: number | undefined, ranges: Ranges | undefined) => {
    if (start === undefined || !ranges) return;
    const now = template.packet.bytes.length - start;
    if (has(ranges, now)) return;
    for (const size of some(ranges)) found.add(start + size);
  };
  add(0, asked.of("length"));
  const { transport } = template.packet;
  const bytes = asked.of("transport");
  if (transport && bytes) {
    const which = TRANSPORTS[transport.header] * 0x1_0000;
    const sizes = intersect(bytes, range(which, which + 0xffff)).map((end) => end - which);
    add(transport.offset, sizes);
  }
  for (const header of ["ip4Option", "fragment6", "tcpPayload", "tcpMss", "greKey"] as const) {
    add(headerStart(template.packet, header), asked.part(header));
  }
  for (const length of [...found].sort((a, b) => a - b)) {
    const longer = length <= 0xffff ? templateOf({ ...shape, length }) : undefined;
    if (longer) yield longer;
  }
}
