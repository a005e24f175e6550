import { assertNever } from "../diagnostics/invariant.js";
import { type Test, testsOf } from "../ir/expr.js";
import type { Header } from "../ir/headers.js";
import type { Rule } from "../ir/policy.js";
import { type Place, WIRE_FIELDS } from "../ir/wire.js";
import { type Piece, piecesOf } from "./pieces.js";
import { presenceOf } from "./presence.js";
import { type Asks, addressChunks, bitsOf, keyOf, type Variable } from "./variable.js";

/** All that some rules ask, in the diagram's order. What no rule asks is not there, and costs nothing. */
export interface Space {
  readonly variables: readonly Variable[];
  /** The variable's place in `variables`. */
  readonly indexOf: (key: string) => number | undefined;
  /** How the bits that are asked of a header were cut. Pieces of one header do not overlap. */
  readonly pieces: (header: Header) => readonly Piece[];
}

/** What the rules of some stages ask of packets. */
export function spaceOf(stages: readonly (readonly Rule[])[]): Space {
  const tests = stages.flatMap((rules) => rules.flatMap(({ match }) => testsOf(match)));
  const places = new Map<Header, Map<string, Place>>();
  const asked = new Map<string, Asks>();
  const ask = (asks: Asks) => asked.set(keyOf(asks), asks);
  for (const test of tests) {
    presenceOf(test.needs).forEach(({ asks }) => {
      ask(asks);
    });
    switch (test.kind) {
      case "address":
      case "list":
        addressChunks(test.field, test.family).forEach(ask);
        break;
      case "number":
      case "bits":
        for (const place of placesOf(test)) {
          const whole = wholeNumber(place);
          if (whole) ask(whole);
          else addPlace(places, place);
        }
        break;
      default:
        assertNever(test);
    }
  }
  const pieces = new Map([...places].map(([header, some]) => [header, piecesOf([...some.values()])]));
  for (const [header, cut] of pieces) {
    for (const { offset, width } of cut) askBits(asked, header, offset, width);
  }
  return ordered([...asked.values()], pieces);
}

function addPlace(places: Map<Header, Map<string, Place>>, place: Place): void {
  const known = places.get(place.header) ?? new Map<string, Place>();
  places.set(place.header, known.set(`${place.offset}:${place.width}`, place));
}

function ordered(asked: readonly Asks[], pieces: ReadonlyMap<Header, readonly Piece[]>): Space {
  const variables = asked
    .map((asks) => ({ key: keyOf(asks), bits: bitsOf(asks), asks }))
    .sort((a, b) => rankOf(a.asks) - rankOf(b.asks) || (a.key < b.key ? -1 : 1));
  const indices = new Map(variables.map(({ key }, index) => [key, index]));
  return {
    variables,
    indexOf: (key) => indices.get(key),
    pieces: (header) => pieces.get(header) ?? [],
  };
}

/** The header of one transport at a place is that of another at the same place: no packet has both. */
function askBits(asked: Map<string, Asks>, header: Header, offset: number, width: number): void {
  const key = keyOf({ kind: "bits", headers: [header], offset, width });
  const known = asked.get(key);
  const headers = known?.kind === "bits" ? [...known.headers, header] : [header];
  asked.set(key, { kind: "bits", headers, offset, width });
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
    case "bits":
      return 5;
    case "address":
      return (asks.field === "ip.src" ? 10 : 20) + asks.chunk;
    default:
      return assertNever(asks);
  }
}
