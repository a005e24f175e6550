import fc from "fast-check";
import { type Family, parseAddress } from "../../src/compiler/ir/address.js";
import { buildPacket } from "../../src/compiler/semantics/packet-bytes.js";

/** A fragment of a datagram from 192.0.2.7 or 2001:db8:9::7, in bytes of that datagram. */
export interface PieceShape {
  readonly start: number;
  readonly length: number;
  readonly more: boolean;
  readonly dscp: number;
  readonly ttl: number;
}

const HOSTS = {
  4: ["192.0.2.7", "203.0.113.9"],
  6: ["2001:db8:9::7", "2001:db8::9"],
} as const;

const piece: fc.Arbitrary<PieceShape> = fc.record({
  start: fc.nat(5).map((units) => units * 8),
  length: fc.oneof(
    { weight: 5, arbitrary: fc.nat(3).map((units) => units * 8) },
    { weight: 1, arbitrary: fc.nat(28) },
  ),
  more: fc.boolean(),
  dscp: fc.constantFrom(0, 0, 0, 46),
  ttl: fc.constantFrom(64, 64, 9),
});

/** Pieces that make up a whole, in any order, and perhaps one or two that do not belong to it. */
export const anyPieces: fc.Arbitrary<readonly PieceShape[]> = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 16 }),
    fc.array(piece, { maxLength: 2 }),
    fc.boolean(),
  )
  .chain(([units, rest, strays, again]) => {
    const cuts = units.map((_, index) => 8 * units.slice(0, index).reduce((sum, unit) => sum + unit, 0));
    cuts.push(8 * units.reduce((sum, unit) => sum + unit, 0));
    const whole = cuts.map((start, index) => {
      const last = index === cuts.length - 1;
      const length = last ? rest : (cuts[index + 1] ?? 0) - start;
      return { start, length, more: !last, dscp: 0, ttl: 64 };
    });
    const all = [...whole, ...strays, ...(again ? whole.slice(0, 1) : [])];
    return fc.shuffledSubarray(all, { minLength: all.length - 1 });
  });

/** Protocol 253, which is for experiments (RFC 3692): data is only data. */
export function pieceBytes(
  family: Family,
  id: number,
  { start, length, more, dscp, ttl }: PieceShape,
): Uint8Array {
  const [source, destination] = HOSTS[family].map((text) => parseAddress(text));
  if (!source || !destination) throw new Error("the hosts have addresses");
  const data = Uint8Array.from({ length }, (_, index) => start + index);
  return buildPacket({
    protocol: 253,
    source,
    destination,
    transport: { kind: "none" },
    payload: data,
    ttl,
    dscp,
    id,
    fragment: { offset: start, more },
    length: null,
  });
}
