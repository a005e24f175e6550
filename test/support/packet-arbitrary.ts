import fc from "fast-check";
import { ADDRESS_BITS, type Family, type Prefix, prefixRange } from "../../src/compiler/ir/address.js";
import { PROTOCOLS } from "../../src/compiler/ir/fields.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type PacketShape, packetBytes } from "./packet-bytes.js";
import { type Constants, policyConstants } from "./policy-constants.js";

/**
 * Packets aimed at a policy: addresses, ports, flags and types from its own constants and their neighbours, in
 * every shape that the language can speak of (fragments, options, extension headers, truncation, padding).
 * Uniformly random packets would hit almost no rule.
 */
export function packetsFor(policy: Policy): fc.Arbitrary<Uint8Array> {
  const constants = policyConstants(policy);
  const owned = policy.prefixes.map(({ prefix }) => prefix);
  const families = [...new Set(owned.map(({ family }) => family))];
  const shaped = fc
    .constantFrom(...families)
    .chain((version) => shape(version, constants, owned).map(packetBytes));
  return fc.oneof({ weight: 19, arbitrary: shaped }, { weight: 1, arbitrary: damaged(shaped) });
}

/** One of the values that matter, or (seldom) any. */
function aimed(values: readonly bigint[] | undefined, bits: number): fc.Arbitrary<bigint> {
  const any = fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
  return values && values.length > 0
    ? fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: any })
    : any;
}

/** Sources that come again and again, so that limits see the same key often. */
const ORDINARY = {
  4: [0xc0000207n, 0xc6336407n],
  6: [0x20010db8000000000000000000000007n, 0x20010db8000100000000000000000007n],
} as const satisfies Record<Family, readonly bigint[]>;

function source(version: Family, { addresses }: Constants): fc.Arbitrary<bigint> {
  const named = aimed(addresses["ip.src"][version], ADDRESS_BITS[version]);
  return fc.oneof(named, fc.constantFrom(...ORDINARY[version]));
}

function destination(
  version: Family,
  { addresses }: Constants,
  owned: readonly Prefix[],
): fc.Arbitrary<bigint> {
  const named = aimed(addresses["ip.dst"][version], ADDRESS_BITS[version]);
  const inside = fc.constantFrom(...owned.filter(({ family }) => family === version)).chain((prefix) => {
    const { low, high } = prefixRange(prefix);
    return fc.bigInt({ min: low, max: high });
  });
  return fc.oneof(named, inside);
}

function shape(version: Family, constants: Constants, owned: readonly Prefix[]): fc.Arbitrary<PacketShape> {
  const fragment = fc.record({ offset: fc.constantFrom(0, 1, 2, 185), more: fc.boolean() });
  return fc
    .oneof(
      { weight: 6, arbitrary: fc.constantFrom(6, 17) },
      { weight: 2, arbitrary: fc.constantFrom(1, 58) },
      {
        weight: 2,
        arbitrary: fc.constantFrom<number>(...Object.values(PROTOCOLS), 0, 43, 44, 51, 59, 60, 255),
      },
    )
    .chain((proto) =>
      fc.record({
        family: fc.constant(version),
        src: source(version, constants),
        dst: destination(version, constants, owned),
        proto: fc.constant(proto),
        transport: transport(proto, constants),
        fragment: fc.option(fragment, { freq: 6 }),
        optionWords: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(10) }),
        extensions: fc.oneof(
          { weight: 4, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(fc.constantFrom(60, 43, 60), { maxLength: 9 }) },
          { weight: 1, arbitrary: fc.constant([0, 60]) },
        ),
        padding: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40) }),
      }),
    );
}

/** A transport header of the protocol, whole or cut short. */
function transport(proto: number, { numbers }: Constants): fc.Arbitrary<Uint8Array> {
  const number = (field: string, bits: number) => aimed(numbers[field], bits).map(Number);
  const header = (): fc.Arbitrary<Uint8Array> => {
    switch (proto) {
      case 6:
        return fc
          .tuple(
            number("tcp.srcport", 16),
            number("tcp.dstport", 16),
            fc.oneof(fc.constantFrom(0x02, 0x10, 0x12, 0x18, 0x04), number("tcp.flags", 8)),
            number("tcp.window", 16),
          )
          .map(tcpHeader);
      case 17:
        return fc
          .tuple(number("udp.srcport", 16), number("udp.dstport", 16), number("udp.len", 16))
          .map((words) => Uint8Array.from([...words.flatMap(be16), 0, 0]));
      case 1:
      case 58: {
        const kind = proto === 1 ? "icmp" : "icmp6";
        return fc
          .tuple(number(`${kind}.type`, 8), number(`${kind}.code`, 8))
          .map(([type, code]) => Uint8Array.from([type & 0xff, code & 0xff, 0, 0, 0, 0, 0, 0]));
      }
      default:
        return fc.uint8Array({ minLength: 8, maxLength: 24 });
    }
  };
  const payload = fc.uint8Array({ maxLength: 16 });
  const whole = fc.tuple(header(), payload).map(([head, rest]) => Uint8Array.from([...head, ...rest]));
  const cut = fc.tuple(header(), fc.nat(20)).map(([head, length]) => head.slice(0, length));
  return fc.oneof({ weight: 6, arbitrary: whole }, { weight: 1, arbitrary: cut });
}

function tcpHeader([source, destination, flags, window]: readonly number[]): Uint8Array {
  const fixed = [
    ...be16(source ?? 0),
    ...be16(destination ?? 0),
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0x50,
    (flags ?? 0) & 0xff,
  ];
  return Uint8Array.from([...fixed, ...be16(window ?? 0), 0, 0, 0, 0]);
}

function be16(value: number): readonly number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}

/** A packet with one byte of its first 48 changed, or its end cut off: most are malformed. */
function damaged(packets: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(packets, fc.nat(47), fc.nat(255), fc.boolean()).map(([packet, at, byte, cut]) => {
    if (cut) return packet.slice(0, Math.max(1, at));
    const changed = Uint8Array.from(packet);
    if (at < changed.length) changed[at] = byte;
    return changed;
  });
}
