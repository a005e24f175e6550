import type { Box } from "../../compiler/analysis/boxes.js";
import {
  has,
  intersect,
  lastOf,
  type Ranges,
  range,
  sameRanges,
  without,
} from "../../compiler/analysis/ranges.js";
import type { Space } from "../../compiler/analysis/space.js";
import { type Asks, bitsOf, TRANSPORTS, type TransportName } from "../../compiler/analysis/variable.js";
import { assertNever } from "../../compiler/diagnostics/invariant.js";
import {
  ADDRESS_BITS,
  type Family,
  formatAddress,
  formatPrefix,
  rangeAsPrefix,
} from "../../compiler/ir/address.js";
import { type AddressFieldName, PROTOCOLS } from "../../compiler/ir/fields.js";
import { HEADERS, type Header } from "../../compiler/ir/headers.js";
import { complement, intervals, type Range } from "../../compiler/ir/intervals.js";
import { slice, WIRE_FIELDS, wireText } from "../../compiler/ir/wire.js";

/** Values of one variable that are written out; of more, the number is told. */
const MOST_VALUES = 4;

/**
 * Which packets a box holds, in the words of expressions: `tcp, ip.src 10.0.0.0/8, tcp.dstport 80..90`. What `known` says of all
 * packets in question is left out.
 */
export function boxText(box: Box, space: Space, known: Box): string {
  const asked = [...box.restricts].flatMap(([index, allows]): readonly Asked[] => {
    const variable = space.variables[index];
    const usual = known.restricts.get(index);
    return !variable || (usual && sameRanges(usual, allows)) ? [] : [{ asks: variable.asks, allows }];
  });
  const kinds = kindsIn(asked);
  const words = [
    ...addresses(asked, "ip.src"),
    ...addresses(asked, "ip.dst"),
    ...asked.flatMap((one) => wordsOf(one, kinds)),
  ];
  return [...kindWords(asked, kinds), ...words].join(", ") || "all packets";
}

interface Asked {
  readonly asks: Asks;
  readonly allows: Ranges;
}

/** The transports that a packet can have, and "none". */
type Kinds = ReadonlySet<TransportName | "none"> | null;

function kindsIn(asked: readonly Asked[]): Kinds {
  const transport = asked.find(({ asks }) => asks.kind === "transport");
  if (!transport) return null;
  const names: readonly (TransportName | "none")[] = [
    "none",
    ...(Object.keys(TRANSPORTS) as TransportName[]),
  ];
  const found = pairsOf(transport.allows).flatMap(([low, high]) => names.slice(low >> 16, (high >> 16) + 1));
  return new Set(found);
}

/** Of all six kinds, the few that it can be, or the few that it cannot. */
function kindWords(asked: readonly Asked[], kinds: Kinds): readonly string[] {
  const family = asked.find(({ asks }) => asks.kind === "family")?.allows[0];
  const isSaid = asked.some(({ asks }) => asks.kind === "address");
  const version = family === undefined || isSaid ? [] : [`IPv${family}`];
  const protocol = asked.find(({ asks }) => asks.kind === "protocol");
  if (!kinds) return [...version, ...(protocol ? [protocolWords(protocol.allows)] : [])];
  const some = [...kinds].filter((kind) => kind !== "none");
  if (!kinds.has("none") && some.length > 0) return [...version, some.join(" or ")];
  if (protocol) return [...version, protocolWords(protocol.allows)];
  const others = Object.keys(TRANSPORTS).filter((kind) => !kinds.has(kind as TransportName));
  return [...version, others.length > 0 ? `not ${others.join(" or ")}` : "any protocol"];
}

/** An IPv6 fragment's may be unknown: 256. */
const PROTOCOL_BITS = 9;
const PROTOCOLS_AND_UNKNOWN = range(0, 256);

function protocolWords(allows: Ranges): string {
  const rest = intersect(without(allows, PROTOCOL_BITS), PROTOCOLS_AND_UNKNOWN);
  const isFew = allows.length < rest.length;
  const said = pairsOf(isFew ? allows : rest).filter(([low]) => low < 256);
  const names = said.map(([low, high]) => {
    const name = Object.entries(PROTOCOLS).find(([, number]) => number === low)?.[0];
    return low === high ? (name ?? `protocol ${low}`) : `protocols ${low}..${Math.min(high, 255)}`;
  });
  if (names.length === 0) return "any protocol";
  return `${isFew ? "" : "not "}${few(names, " or ")}`;
}

/** What is not said by the kind of packet. */
function wordsOf({ asks, allows }: Asked, kinds: Kinds): readonly string[] {
  switch (asks.kind) {
    case "family":
    case "protocol":
    case "address":
      return [];
    case "transport":
      return cutShort(allows);
    case "length":
      return [`ip.len ${numbers(allows, bitsOf(asks))}`];
    case "part": {
      const { name } = HEADERS[asks.header];
      const [low = 0] = allows;
      return [low > 0 ? `with ${name}` : allows.at(-1) === 0 ? `without ${name}` : `some of ${name}`];
    }
    case "bits": {
      const header = asks.headers.find((one) => kinds?.has(one as TransportName)) ?? asks.headers[0];
      return header ? [`${fieldName(header, asks, kinds)} ${numbers(allows, asks.width)}`] : [];
    }
    default:
      return assertNever(asks);
  }
}

/** Longer packets are there, but they say nothing. */
const LONG = 0xff00;

/** Headers that end early. */
function cutShort(allows: Ranges): readonly string[] {
  const short = pairsOf(allows).filter(([, high]) => high >= 0x1_0000 && (high & 0xffff) < LONG);
  const names = Object.keys(TRANSPORTS);
  return short.map(([, high]) => `${names[(high >> 16) - 1]} of at most ${high & 0xffff} bytes`);
}

type Bits = Extract<Asks, { readonly kind: "bits" }>;

function fieldName(header: Header, { offset, width }: Bits, kinds: Kinds): string {
  const isPort = width === 16 && (offset === 0 || offset === 16);
  const both = isPort && kinds?.has("tcp") && kinds.has("udp") && kinds.size === 2;
  if (both) return offset === 0 ? "port.src" : "port.dst";
  const named = Object.values(WIRE_FIELDS).find(
    (field) => field.header === header && field.offset === offset && field.width === width,
  );
  return wireText(named ?? slice(header, offset, width));
}

/** As few numbers as say it: those that there are, those that are missing, or bits of a mask. */
function numbers(allows: Ranges, bits: number): string {
  const masked = allows.length > 4 && bits <= 8 ? maskedText(allows, bits) : undefined;
  if (masked !== undefined) return masked;
  const rest = without(allows, bits);
  const isFew = allows.length <= rest.length || rest.length === 0;
  const said = pairsOf(isFew ? allows : rest).map(([low, high]) =>
    low === high ? `${low}` : `${low}..${high}`,
  );
  return `${isFew ? "" : "not "}${few(said, " ")}`;
}

/** `& 0x12 == 0x02`, if that is what it is. */
function maskedText(allows: Ranges, bits: number): string | undefined {
  const values = Array.from({ length: 2 ** bits }, (_, value) => value).filter((value) => has(allows, value));
  const ones = values.reduce((all, value) => all & value, lastOf(bits));
  const zeros = values.reduce((all, value) => all & ~value, lastOf(bits));
  const isAll = values.length === values.filter((value) => (value & (ones | zeros)) === ones).length;
  const free = [...(lastOf(bits) & ~(ones | zeros)).toString(2)].filter((digit) => digit === "1").length;
  if (!isAll || values.length !== 2 ** free) return undefined;
  return `& 0x${(ones | zeros).toString(16)} == 0x${ones.toString(16)}`;
}

function few(words: readonly string[], between: string): string {
  const [shown, more] = [words.slice(0, MOST_VALUES), words.length - MOST_VALUES];
  return `${shown.join(between)}${more > 0 ? ` and ${more} more` : ""}`;
}

function addresses(asked: readonly Asked[], field: AddressFieldName): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const chunks = asked.filter(
      ({ asks }) => asks.kind === "address" && asks.field === field && asks.family === family,
    );
    return chunks.length === 0 ? [] : [`${field} ${addressWords(rangesIn(chunks, family), family)}`];
  });
}

/** Those that there are, or those that are missing if these are prefixes and the others are not. */
function addressWords(ranges: readonly Range[], family: Family): string {
  const gaps = complement(intervals(ranges), ADDRESS_BITS[family]);
  const words = (some: readonly Range[]) => some.map((one) => rangeText(one, family));
  const arePrefixes = (some: readonly Range[]) => some.every((one) => rangeAsPrefix(family, one));
  if (!arePrefixes(ranges) && gaps.length > 0 && arePrefixes(gaps)) return `not ${few(words(gaps), " ")}`;
  return few(words(ranges), " ");
}

/** The addresses whose chunks have these values; where several chunks have many, the range of all. */
function rangesIn(chunks: readonly Asked[], family: Family): readonly Range[] {
  const count = family === 4 ? 1 : 4;
  const byChunk = Array.from({ length: count }, (_, index) =>
    chunks.find(({ asks }) => asks.kind === "address" && asks.chunk === index),
  );
  let ranges: readonly Range[] = [{ low: 0n, high: 0n }];
  for (const chunk of byChunk) {
    const values = chunk ? pairsOf(chunk.allows) : [[0, lastOf(32)] as const];
    const single = ranges.every(({ low, high }) => low === high) && ranges.length * values.length <= 64;
    ranges = ranges.flatMap(({ low, high }) =>
      (single ? values : [[values[0]?.[0] ?? 0, values.at(-1)?.[1] ?? 0] as const]).map(([first, last]) => ({
        low: (low << 32n) | BigInt(first),
        high: (high << 32n) | BigInt(last),
      })),
    );
  }
  return ranges;
}

function rangeText(range: Range, family: Family): string {
  const prefix = rangeAsPrefix(family, range);
  const address = (value: bigint) => formatAddress({ family, value });
  if (range.low === range.high) return address(range.low);
  return prefix ? formatPrefix(prefix) : `${address(range.low)}..${address(range.high)}`;
}

function pairsOf(ranges: Ranges): readonly (readonly [low: number, high: number])[] {
  return Array.from({ length: ranges.length / 2 }, (_, index) => {
    return [ranges[2 * index] ?? 0, ranges[2 * index + 1] ?? 0] as const;
  });
}
