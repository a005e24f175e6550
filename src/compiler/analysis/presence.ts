import type { Needs } from "../ir/expr.js";
import { lastOf, type Ranges, range } from "./ranges.js";
import { type Asks, isTransport, LENGTH_BITS, TRANSPORTS } from "./variable.js";

/** A variable, and the values of it that are asked for. */
export interface Restriction {
  readonly asks: Asks;
  readonly allows: Ranges;
}

/** Every well-formed packet has these bytes of its IP header. */
const FIXED_HEADER = { ip4: 20, ip6: 40 } as const;

/** What the variables say where the bytes that a test needs are there: all of these together. */
export function presenceOf({ header, bytes }: Needs): readonly Restriction[] {
  if (isTransport(header)) {
    const which = TRANSPORTS[header] * 0x1_0000;
    return [{ asks: { kind: "transport" }, allows: range(which + bytes, which + 0xffff) }];
  }
  switch (header) {
    case "ip4":
    case "ip6": {
      const version = header === "ip4" ? 4 : 6;
      const family = { asks: { kind: "family" }, allows: range(version, version) } as const;
      if (bytes <= FIXED_HEADER[header]) return [family];
      return [family, { asks: { kind: "length" }, allows: range(bytes, lastOf(LENGTH_BITS)) }];
    }
    case "proto":
      return [{ asks: { kind: "protocol" }, allows: range(0, 255) }];
    case "ct":
      return [];
    default:
      return [{ asks: { kind: "part", header }, allows: range(bytes, lastOf(LENGTH_BITS)) }];
  }
}
