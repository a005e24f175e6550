import { type Family, prefixRange } from "../ir/address.js";
import { CT_STATES } from "../ir/fields.js";
import { type Intervals, intervals } from "../ir/intervals.js";
import type { OwnedPrefix } from "../ir/policy.js";
import { type Place, slice, WIRE_FIELDS } from "../ir/wire.js";
import { type Box, boxOf, intersectBoxes } from "./boxes.js";
import { piecesIn } from "./pieces.js";
import { complementOf, ofPlace, tiled } from "./places.js";
import { intersect, lastOf, NOTHING, type Ranges, range, unite, without } from "./ranges.js";
import type { Space } from "./space.js";
import { tidied } from "./tidy.js";
import {
  type Asks,
  addressChunks,
  bitsOf,
  keyOf,
  LENGTH_BITS,
  type PartHeader,
  TRANSPORTS,
  TRANSPORTS_OF,
  type TransportName,
  UNKNOWN_PROTOCOL,
} from "./variable.js";

/** What is known of all packets that come to some rules. */
export interface World {
  /** Where they go. */
  readonly prefixes: readonly OwnedPrefix[];
  /** A stateful firewall judges datagrams whole. */
  readonly whole: boolean;
}

/**
 * The values that the variables can have together, as boxes; which of them packets have depends on nothing else. No packet's values
 * are outside. Inside are, besides packets' values, only combinations of bits that two headers share (bits of TCP that are asked as
 * bits of IP, of a payload that are asked as bits of TCP), and of lengths within lengths: see docs/classification.md.
 */
export function possible(space: Space, world: World): readonly Box[] {
  const maker = new Maker(space, world);
  const families = ([4, 6] as const).filter((family) =>
    world.prefixes.some(({ prefix }) => prefix.family === family),
  );
  return tidied(
    families.flatMap((family) => maker.family(family)),
    space,
  );
}

/** One of these is so. */
type Boxes = readonly Box[];

const MOST_LENGTH = { 4: 0xffff, 6: 40 + 0xffff } as const satisfies Record<Family, number>;
const LEAST_LENGTH = { 4: 20, 6: 40 } as const satisfies Record<Family, number>;
/** Above this many classes of lengths, lengths are not held against one another. */
const MANY_CLASSES = 64;

/** Headers that end no chain: no packet's protocol, but a later fragment's next header (RFC 8200). */
const WALKED = [0, 43, 44, 60];
const AUTHENTICATION = 51;
/** Behind an AH, too, a fragment header may follow. */
const GO_ON = intervals([...WALKED, AUTHENTICATION].flatMap((header) => point(header)));

/** Facts about variables that the space does not have say nothing: they are left out. */
class Maker {
  /** The transports that must be told apart. */
  readonly #kinds: ReadonlySet<TransportName>;

  constructor(
    private readonly space: Space,
    private readonly world: World,
  ) {
    const asked = (...headers: readonly PartHeader[]) =>
      headers.some((header) => this.#has({ kind: "part", header }));
    this.#kinds = new Set([
      ...space.transports,
      ...(asked("tcpPayload", "tcpMss") ? (["tcp"] as const) : []),
      ...(asked("greKey") ? (["gre"] as const) : []),
    ]);
  }

  family(family: Family): Boxes {
    return this.#all(
      this.#fact({ kind: "family" }, range(family, family)),
      this.#bits(slice(family === 4 ? "ip4" : "ip6", 0, 4), point(family)),
      this.#destination(family),
      this.#beside(),
      family === 4 ? this.#headerLength() : this.#all(this.#part("ip4Option", range(0, 0)), this.#chain()),
      this.#lengths(family).flatMap((lengths) =>
        this.#all(
          this.#fact({ kind: "length" }, lengths),
          family === 4 ? this.#all() : this.#part("fragment6", range(0, (lengths.at(-1) ?? 0) - IPV6_HEADER)),
          this.#transports(family, lengths),
        ),
      ),
    );
  }

  #destination(family: Family): Boxes {
    const owned = this.world.prefixes.filter(({ prefix }) => prefix.family === family);
    const chunks = addressChunks("ip.dst", family);
    if (!chunks.every((chunk) => this.#has(chunk))) return this.#all();
    const set = intervals(owned.map(({ prefix }) => prefixRange(prefix)));
    return tiled(chunks, set, this.space).map((one) => boxOf(one, this.space));
  }

  /** What is no part of the IP packet. */
  #beside(): Boxes {
    const states = intervals(Object.values(CT_STATES).flatMap((state) => point(state)));
    const tag = unite(range(0, 0), range(2, 2));
    return this.#all(this.#part("vlan", tag), this.#bits(WIRE_FIELDS["ct.state"], states));
  }

  /** Options are there where the header is longer than 5 words. */
  #headerLength(): Boxes {
    const words = (low: bigint, high: bigint) => this.#bits(WIRE_FIELDS["ip4.hdr_words"], [{ low, high }]);
    return [
      ...this.#all(words(5n, 5n), this.#part("ip4Option", range(0, 0))),
      ...this.#all(words(6n, 15n), this.#part("ip4Option", from(4))),
    ];
  }

  /** Where the first header says that no other follows, no fragment header does. */
  #chain(): Boxes {
    if (!this.#asksNextHeader()) return this.#all();
    const ends = complementOf(GO_ON, WIRE_FIELDS["ip6.next_header"].width);
    return [
      ...this.#bits(WIRE_FIELDS["ip6.next_header"], GO_ON),
      ...this.#all(this.#bits(WIRE_FIELDS["ip6.next_header"], ends), this.#part("fragment6", range(0, 0))),
    ];
  }

  /** The first header says which transport follows, or goes on to one that may. */
  #leadsTo(family: Family, protocol: number): Boxes {
    if (family === 4 || !this.#asksNextHeader()) return this.#all();
    return this.#bits(WIRE_FIELDS["ip6.next_header"], intervals([...GO_ON, ...point(protocol)]));
  }

  #asksNextHeader(): boolean {
    return piecesIn(this.space.pieces("ip6"), WIRE_FIELDS["ip6.next_header"]).length > 0;
  }

  /** Classes that tests can tell apart. */
  #lengths(family: Family): readonly Ranges[] {
    const all = range(LEAST_LENGTH[family], MOST_LENGTH[family]);
    const starts = this.space.lengths.filter((start) => start > LEAST_LENGTH[family]);
    if (starts.length > MANY_CLASSES) return [all];
    const bounds = [LEAST_LENGTH[family], ...starts];
    return bounds
      .map((low, index) =>
        intersect(all, range(low, Math.max(low, (bounds[index + 1] ?? lastOf(LENGTH_BITS)) - 1))),
      )
      .filter(({ length }) => length > 0);
  }

  /** How many bytes behind the IP header a packet of one of these lengths can have. */
  #behind(family: Family, lengths: Ranges): Ranges {
    const [low = 0, high = 0] = lengths;
    // Extension headers are 8 bytes or a multiple: among so many lengths none is left out.
    if (family === 6 && high - low >= 7) return range(0, high - 40);
    const headers = (family === 4 ? IPV4_HEADERS : IPV6_HEADERS).filter((header) => header <= high);
    return ascending(headers.reverse().map((header) => [Math.max(0, low - header), high - header]));
  }

  #transports(family: Family, lengths: Ranges): Boxes {
    const bytes = this.#behind(family, lengths);
    const told = TRANSPORTS_OF[family].filter(([kind]) => this.#kinds.has(kind));
    const kinds = told.flatMap(([kind, protocol]) =>
      this.#all(
        this.#fact({ kind: "protocol" }, range(protocol, protocol)),
        this.#fact({ kind: "transport" }, ofKind(kind, bytes)),
        this.#leadsTo(family, protocol),
        this.#first(family),
        this.#parts(kind),
      ),
    );
    const nothing = this.#all(
      this.#fact({ kind: "transport" }, this.#unaskedTransports()),
      this.#parts(null),
    );
    const protocols = told.map(([, protocol]) => protocol);
    return [
      ...kinds,
      ...this.#all(nothing, this.#otherProtocols(family, protocols)),
      ...this.#all(nothing, this.#later(family)),
    ];
  }

  /** No transport that is asked for, and no later fragment: the protocol has no fields. */
  #otherProtocols(family: Family, told: readonly number[]): Boxes {
    const known = family === 4 ? without(range(0, 255), 9) : without(range(0, UNKNOWN_PROTOCOL), 9);
    const cannotBe = (family === 4 ? told : [...told, ...WALKED]).map((one) => range(one, one));
    const protocols = without(cannotBe.reduce(unite, known), 9);
    if (family === 4)
      return this.#all(
        this.#fact({ kind: "protocol" }, protocols),
        this.#part("fragment6", range(0, 0)),
        this.#wholeness4(),
      );
    // Behind an AH, which ends the chain, any fragment header may follow, or a part of one.
    return this.#all(this.#fact({ kind: "protocol" }, protocols), this.#wholeness6());
  }

  #wholeness4(): Boxes {
    return this.world.whole ? this.#bits(WIRE_FIELDS["ip4.frag"], point(0)) : this.#all();
  }

  #wholeness6(): Boxes {
    return this.world.whole ? this.#bits(WIRE_FIELDS["fragment6.offset"], point(0)) : this.#all();
  }

  /** No later fragment. */
  #first(family: Family): Boxes {
    if (family === 4) {
      const offset = this.#bits(WIRE_FIELDS["ip4.frag.offset"], point(0));
      return this.#all(this.#part("fragment6", range(0, 0)), offset, this.#wholeness4());
    }
    const first = this.#all(
      this.#part("fragment6", from(FRAGMENT_HEADER)),
      this.#bits(WIRE_FIELDS["fragment6.offset"], point(0)),
    );
    return [...this.#part("fragment6", range(0, 0)), ...first];
  }

  #later(family: Family): Boxes {
    if (this.world.whole) return [];
    const place = WIRE_FIELDS[family === 4 ? "ip4.frag.offset" : "fragment6.offset"];
    const offset = this.#bits(place, complementOf(point(0), place.width));
    if (family === 4) {
      const any = this.#fact({ kind: "protocol" }, range(0, 255));
      return this.#all(any, this.#part("fragment6", range(0, 0)), offset);
    }
    const hidden = [...WALKED, AUTHENTICATION].map((one) => range(one, one)).reduce(unite, NOTHING);
    const protocols = intersect(without(hidden, 9), range(0, UNKNOWN_PROTOCOL));
    return this.#all(
      this.#fact({ kind: "protocol" }, protocols),
      this.#part("fragment6", from(FRAGMENT_HEADER)),
      offset,
    );
  }

  /** What is inside a transport header, or behind it. */
  #parts(kind: TransportName | null): Boxes {
    const none = range(0, 0);
    const noKey = this.#part("greKey", none);
    const noOptions = this.#all(this.#part("tcpPayload", none), this.#part("tcpMss", none));
    if (kind === "gre")
      return this.#all(noOptions, [
        ...noKey,
        ...this.#all(this.#part("greKey", from(1)), this.#atLeast(kind, 5)),
      ]);
    if (kind !== "tcp") return this.#all(noOptions, noKey);
    const words = (low: bigint) => this.#bits(slice("tcp", 96, 4), [{ low, high: 15n }]);
    const options = this.#all(this.#part("tcpMss", from(4)), this.#atLeast(kind, 24), words(6n));
    const payload = this.#all(this.#part("tcpPayload", from(1)), this.#atLeast(kind, 21), words(5n));
    return this.#all(
      noKey,
      [...this.#part("tcpPayload", none), ...payload],
      [...this.#part("tcpMss", none), ...options],
    );
  }

  #atLeast(kind: TransportName, bytes: number): Boxes {
    return this.#fact({ kind: "transport" }, ofKind(kind, range(bytes, 0xffff)));
  }

  /** Transports that no rule asks for are like none at all. */
  #unaskedTransports(): Ranges {
    const names = Object.keys(TRANSPORTS) as TransportName[];
    return names
      .filter((kind) => !this.#kinds.has(kind))
      .map((kind) => ofKind(kind, range(0, 0xffff)))
      .reduce(unite, range(0, 0));
  }

  #part(header: PartHeader, allows: Ranges): Boxes {
    return this.#fact({ kind: "part", header }, allows);
  }

  #fact(asks: Asks, allows: Ranges): Boxes {
    if (!this.#has(asks)) return this.#all();
    return allows.length === 0 ? [] : [boxOf([{ asks, allows }], this.space)];
  }

  #bits(place: Place, set: Intervals): Boxes {
    const pieces = piecesIn(this.space.pieces(place.header), place);
    if (pieces.length === 0) return this.#all();
    return ofPlace(place, set, true, this.space).map((one) => boxOf(one, this.space));
  }

  #has(asks: Asks): boolean {
    return this.space.indexOf(keyOf(asks)) !== undefined;
  }

  /** One of each. */
  #all(...parts: readonly Boxes[]): Boxes {
    return parts.reduce<Boxes>(
      (some, others) => some.flatMap((a) => others.flatMap((b) => intersectBoxes(a, b) ?? [])),
      [boxOf([], this.space)],
    );
  }
}

/** Ranges in the order of where they begin, of which some may touch: thousands, which to unite one by one would take long. */
function ascending(all: readonly (readonly [low: number, high: number])[]): Ranges {
  const ends: number[] = [];
  for (const [low, high] of all) {
    const last = ends.at(-1);
    if (last !== undefined && low <= last + 1) ends[ends.length - 1] = Math.max(last, high);
    else ends.push(low, high);
  }
  return Uint32Array.from(ends);
}

const FRAGMENT_HEADER = 8;
const IPV6_HEADER = 40;
/** 5 to 15 words. */
const IPV4_HEADERS = Array.from({ length: 11 }, (_, index) => 20 + 4 * index);

/** The fixed header, and extension headers of 8 bytes or a multiple. */
const IPV6_HEADERS = Array.from({ length: 1 + 0xffff / 8 }, (_, index) => 40 + 8 * index);

function ofKind(kind: TransportName, bytes: Ranges): Ranges {
  const which = TRANSPORTS[kind] * 0x1_0000;
  return intersect(bytes, range(0, 0xffff)).map((end) => which + end);
}

function from(least: number): Ranges {
  return range(least, lastOf(bitsOf({ kind: "length" })));
}

function point(value: number): Intervals {
  return [{ low: BigInt(value), high: BigInt(value) }];
}
