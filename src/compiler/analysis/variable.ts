import { assertNever, invariant } from "../diagnostics/invariant.js";
import type { Family } from "../ir/address.js";
import { type AddressFieldName, PROTOCOLS } from "../ir/fields.js";
import type { Header } from "../ir/headers.js";

/** Headers of which a variable says how many bytes of them the packet has; 0 for none. */
export type PartHeader = "ip4Option" | "fragment6" | "tcpPayload" | "tcpMss" | "greKey" | "vlan";

/**
 * What a variable says of a packet.
 *
 * - `family`: 4 or 6.
 * - `protocol`: as `ip.proto`, and UNKNOWN_PROTOCOL where it cannot be known.
 * - `transport`: which header × 65,536 + how many bytes of it (and of what follows) the packet has; 0 for none.
 * - `length`: the packet's own length in bytes. `ip.len` asks for it, and so do bits that lie far behind an IP header.
 * - `part`: how many bytes of the header there are.
 * - `address`: 32 bits of an address, chunk 0 the most significant; 0 in packets of the other family.
 * - `bits`: `width` bits, `offset` bits from the start of whichever of the headers the packet has; 0 where absent.
 */
export type Asks =
  | { readonly kind: "family" | "protocol" | "transport" | "length" }
  | { readonly kind: "part"; readonly header: PartHeader }
  | {
      readonly kind: "address";
      readonly field: AddressFieldName;
      readonly family: Family;
      readonly chunk: 0 | 1 | 2 | 3;
    }
  | {
      readonly kind: "bits";
      readonly headers: readonly Header[];
      readonly offset: number;
      readonly width: number;
    };

/** One question about a packet, whose answer is an unsigned number of at most 32 bits. */
export interface Variable {
  /** Unique in the space, and the same in every space that asks the same. */
  readonly key: string;
  readonly bits: number;
  readonly asks: Asks;
}

export const UNKNOWN_PROTOCOL = 256;
export const TRANSPORTS = { tcp: 1, udp: 2, icmp: 3, icmp6: 4, gre: 5 } as const;
/** A packet's own length, and all that is counted in it, is at most 40 + 65,535. */
export const LENGTH_BITS = 17;

export type TransportName = keyof typeof TRANSPORTS;

/** The transports that a family's packets can have, with their protocol numbers. */
export const TRANSPORTS_OF: Readonly<Record<Family, readonly (readonly [TransportName, number])[]>> = {
  4: [
    ["tcp", PROTOCOLS.tcp],
    ["udp", PROTOCOLS.udp],
    ["icmp", PROTOCOLS.icmp],
    ["gre", PROTOCOLS.gre],
  ],
  6: [
    ["tcp", PROTOCOLS.tcp],
    ["udp", PROTOCOLS.udp],
    ["icmp6", PROTOCOLS.icmp6],
    ["gre", PROTOCOLS.gre],
  ],
};

/** The variables that an address consists of, the most significant first. */
export function addressChunks(field: AddressFieldName, family: Family): readonly Asks[] {
  const chunks = family === 4 ? ([0] as const) : ([0, 1, 2, 3] as const);
  return chunks.map((chunk) => ({ kind: "address", field, family, chunk }));
}

export function keyOf(asks: Asks): string {
  switch (asks.kind) {
    case "family":
    case "protocol":
    case "transport":
    case "length":
      return asks.kind;
    case "part":
      return `${asks.header} bytes`;
    case "address":
      return asks.family === 4 ? `${asks.field}/4` : `${asks.field}/6.${asks.chunk}`;
    case "bits": {
      const [header] = asks.headers;
      invariant(header, "bits are bits of some header");
      return `${isTransport(header) ? "transport" : header}[${asks.offset}:${asks.width}]`;
    }
    default:
      return assertNever(asks);
  }
}

export function isTransport(header: Header): header is TransportName {
  return Object.hasOwn(TRANSPORTS, header);
}

/** Bits of the largest value. */
export function bitsOf(asks: Asks): number {
  switch (asks.kind) {
    case "family":
      return 3;
    case "protocol":
      return 9;
    case "transport":
      return 19;
    case "length":
    case "part":
      return LENGTH_BITS;
    case "address":
      return 32;
    case "bits":
      return asks.width;
    default:
      return assertNever(asks);
  }
}
