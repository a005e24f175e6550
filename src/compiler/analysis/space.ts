import { assertNever } from "../diagnostics/invariant.js";
import { type Test, testsOf } from "../ir/expr.js";
import type { Header } from "../ir/headers.js";
import type { Rule } from "../ir/policy.js";
import { type Place, slice, WIRE_FIELDS } from "../ir/wire.js";
import { type Piece, piecesIn, piecesOf } from "./pieces.js";
import { presenceOf } from "./presence.js";
import {
  type Asks,
  addressChunks,
  bitsOf,
  isTransport,
  keyOf,
  type TransportName,
  type Variable,
} from "./variable.js";

/** All that some rules ask, in the diagram's order. What no rule asks is not there, and costs nothing. */
export interface Space {
  readonly variables: readonly Variable[];
  /** The variable's place in `variables`. */
  readonly indexOf: (key: string) => number | undefined;
  /** How the bits that are asked of a header were cut. Pieces of one header do not overlap. */
  readonly pieces: (header: Header) => readonly Piece[];
  /** The transports whose bytes are asked for; the others all look alike. */
  readonly transports: ReadonlySet<TransportName>;
  /** Where tests of the packet's length turn: the first length of each class of lengths but the shortest, in order. */
  readonly lengths: readonly number[];
}

/** What the rules of some stages ask of packets. */
export function spaceOf(stages: readonly (readonly Rule[])[]): Space {
  const asked = new Asked();
  for (const rules of stages) {
    for (const { match } of rules) {
      for (const test of testsOf(match)) asked.add(test);
    }
  }
  return asked.space();
}

/** Bits that say how the rest is to be read, so that not all of their values can occur: see possible.ts. */
const STRUCTURE: readonly Place[] = [
  slice("ip4", 0, 4),
  WIRE_FIELDS["ip4.hdr_words"],
  WIRE_FIELDS["ip4.frag"],
  WIRE_FIELDS["ip4.frag.offset"],
  slice("ip6", 0, 4),
  WIRE_FIELDS["ip6.next_header"],
  WIRE_FIELDS["fragment6.offset"],
  slice("tcp", 96, 4),
];

/** Collects what tests ask. */
class Asked {
  readonly #variables = new Map<string, Asks>();
  readonly #places = new Map<Header, Map<string, Place>>();
  readonly #transports = new Set<TransportName>();
  readonly #lengths = new Set<number>();

  add(test: Test): void {
    for (const { asks, allows } of presenceOf(test.needs)) {
      this.#ask(asks);
      if (asks.kind === "length") this.#lengths.add(allows[0] ?? 0);
    }
    if (isTransport(test.needs.header)) this.#transports.add(test.needs.header);
    switch (test.kind) {
      case "address":
      case "list":
        for (const chunk of addressChunks(test.field, test.family)) this.#ask(chunk);
        break;
      case "number":
      case "bits":
        for (const place of placesOf(test)) this.#askPlace(place, test);
        break;
      default:
        assertNever(test);
    }
  }

  space(): Space {
    const pieces = new Map([...this.#places].map(([header, places]) => [header, cut(places)]));
    for (const [header, parts] of pieces) {
      for (const part of parts) this.#askBits(header, part);
    }
    const variables = [...this.#variables.values()]
      .map((asks) => ({ key: keyOf(asks), bits: bitsOf(asks), asks }))
      .sort((a, b) => rankOf(a.asks) - rankOf(b.asks) || (a.key < b.key ? -1 : 1));
    const indices = new Map(variables.map(({ key }, index) => [key, index]));
    return {
      variables,
      indexOf: (key) => indices.get(key),
      pieces: (header) => pieces.get(header) ?? [],
      transports: this.#transports,
      lengths: [...this.#lengths].sort((a, b) => a - b),
    };
  }

  #ask(asks: Asks): void {
    this.#variables.set(keyOf(asks), asks);
  }

  #askPlace(place: Place, test: PlaceTest): void {
    const whole = wholeNumber(place);
    if (!whole) {
      const known = this.#places.get(place.header) ?? new Map<string, Place>();
      this.#places.set(place.header, known.set(`${place.offset}:${place.width}`, place));
      return;
    }
    this.#ask(whole);
    if (whole.kind !== "length") return;
    const ranges = test.kind === "number" ? test.ranges : [{ low: 1n, high: 0xffffn }];
    for (const { low, high } of ranges) {
      this.#lengths.add(Number(low) + lengthBefore(place)).add(Number(high) + 1 + lengthBefore(place));
    }
  }

  /** The header of one transport at a place is that of another at the same place: no packet has both. */
  #askBits(header: Header, { offset, width }: Piece): void {
    const known = this.#variables.get(keyOf({ kind: "bits", headers: [header], offset, width }));
    const headers = known?.kind === "bits" ? [...known.headers, header] : [header];
    this.#ask({ kind: "bits", headers, offset, width });
  }
}

/** Bits of the structure are asked as a whole or not at all. */
function cut(asked: ReadonlyMap<string, Place>): readonly Piece[] {
  const places = [...asked.values()];
  const structure = STRUCTURE.filter(
    (place) => place.header === places[0]?.header && piecesIn(places, place).length > 0,
  );
  return piecesOf([...places, ...structure]);
}

type PlaceTest = Extract<Test, { readonly kind: "number" | "bits" }>;

/** A mask of a few bits is a set of numbers; of a wider one, each run of set bits is asked for by itself. */
const FEW_BITS = 8;

export function isAskedWhole({ kind, field }: PlaceTest): boolean {
  return kind === "number" || field.width <= FEW_BITS;
}

/** The bits that a test asks for, as they are best asked. */
export function placesOf(test: PlaceTest): readonly Place[] {
  const { header, offset, width } = test.field;
  if (test.kind === "number" || isAskedWhole(test)) return [{ header, offset, width }];
  return runsOf(test.mask).map(({ lowest, length }) => ({
    header,
    offset: offset + width - lowest - length,
    width: length,
  }));
}

function runsOf(mask: bigint): readonly { readonly lowest: number; readonly length: number }[] {
  const digits = mask.toString(2);
  return [...digits.matchAll(/1+/g)].map(({ index, 0: run }) => ({
    lowest: digits.length - index - run.length,
    length: run.length,
  }));
}

/** Places that are another variable, not bits of their own. */
export function wholeNumber({ header, offset, width }: Place): Asks | undefined {
  if (header === "proto") return { kind: "protocol" };
  const isAt = (place: Place) => place.header === header && place.offset === offset && place.width === width;
  const isLength = isAt(WIRE_FIELDS["ip4.len"]) || isAt(WIRE_FIELDS["ip6.payload_len"]);
  return isLength ? { kind: "length" } : undefined;
}

const IPV6_HEADER = 40;

/** How many bytes of a packet the number at a place that says its length does not count. */
export function lengthBefore({ header }: Place): number {
  return header === WIRE_FIELDS["ip6.payload_len"].header ? IPV6_HEADER : 0;
}

/** What decides whether other variables mean anything comes before them: see docs/classification.md. */
function rankOf(asks: Asks): number {
  switch (asks.kind) {
    case "family":
      return 0;
    case "transport":
      return 1;
    case "protocol":
      return 2;
    case "length":
      return 3;
    case "part":
      return 4;
    case "address":
      return (asks.field === "ip.dst" ? 10 : 20) + asks.chunk;
    case "bits":
      return 30;
    default:
      return assertNever(asks);
  }
}
