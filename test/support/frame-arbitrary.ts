import fc from "fast-check";
import type { Family } from "../../src/compiler/ir/address.js";
import { ethernetFrame, packetBytes } from "./packet-bytes.js";

/**
 * Ethernet frames that have every header which a field can lie in: VLAN tags, IPv4 options, IPv6 extension headers in any
 * order (AH and fragment headers too), TCP options, GRE flags; then cut somewhere, with a few bytes changed.
 */
export function frames(ends: Readonly<Record<Family, Ends>>): fc.Arbitrary<Uint8Array> {
  const packet = fc.oneof(packet4(ends[4]), packet6(ends[6]));
  return fc
    .record({
      packet,
      vlans: fc.array(fc.nat(0xffff), { maxLength: 3 }),
      cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(80) }),
      changes: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        {
          weight: 1,
          arbitrary: fc.array(fc.tuple(fc.integer({ min: 12, max: 110 }), byte), { maxLength: 3 }),
        },
      ),
    })
    .map(({ packet: bytes, vlans, cut, changes }) => {
      const frame = Uint8Array.from(ethernetFrame(bytes, vlans));
      for (const [at, value] of changes) if (at < frame.length) frame[at] = value;
      return frame.subarray(0, Math.max(14, frame.length - cut));
    });
}

interface Ends {
  readonly src: bigint;
  readonly dst: bigint;
}

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const GRE = 47;
const AH = 51;
const ICMPV6 = 58;
const FRAGMENT = 44;

/** Values that mean something in one header or another come more often than the rest. */
const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 4, 6, 17, 43, 44, 47, 51, 60));

const padding = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(30) });

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function joined(...parts: readonly fc.Arbitrary<Uint8Array>[]): fc.Arbitrary<Uint8Array> {
  return fc.tuple(...parts).map((all) => Uint8Array.from(Buffer.concat(all)));
}

/** A protocol number and what it says. */
const transport: fc.Arbitrary<readonly [proto: number, bytes: Uint8Array]> = fc
  .constantFrom(TCP, TCP, TCP, UDP, UDP, GRE, GRE, GRE, ICMP, ICMP, ICMPV6, ICMPV6, AH)
  .chain((proto) => fc.tuple(fc.constant(proto), headerOf(proto)));

function headerOf(proto: number): fc.Arbitrary<Uint8Array> {
  if (proto === TCP) return tcp();
  if (proto === GRE) return joined(greFlags, fc.uint8Array({ minLength: 6, maxLength: 24 }));
  return fc.uint8Array({ minLength: 6, maxLength: 40 });
}

/** Checksum, routing, key, sequence; version 0 or 1. */
const greFlags = fc
  .tuple(fc.constantFrom(0x20, 0x20, 0xa0, 0x60, 0xe0, 0x30, 0x80), fc.constantFrom(0, 0, 0, 1))
  .map((pair) => Uint8Array.from(pair));

/** The data offset fits the options, or it does not. */
function tcp(): fc.Arbitrary<Uint8Array> {
  const parts = fc.record({
    head: bytes(20),
    options: fc.array(tcpOption, { maxLength: 8 }),
    payload: fc.uint8Array({ maxLength: 24 }),
    words: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(15) }),
  });
  return parts.map(({ head, options, payload, words }) => {
    const all = Buffer.concat(options).subarray(0, 40);
    const padded = Buffer.concat([all, Buffer.alloc((4 - (all.length % 4)) % 4, 1)]);
    const header = Buffer.from(head);
    header.writeUInt8(((words ?? 5 + padded.length / 4) << 4) | ((head[12] ?? 0) & 15), 12);
    return Uint8Array.from(Buffer.concat([header, padded, payload]));
  });
}

/** End, no operation, maximum segment size, too short or long ones of it, and others. */
const tcpOption: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom([0], [1], [1, 1, 1]).map((option) => Uint8Array.from(option)),
  joined(fc.constant(Uint8Array.of(2, 4)), bytes(2)),
  joined(
    fc.constantFrom(0, 1, 3, 5, 40).map((length) => Uint8Array.of(2, length)),
    bytes(2),
  ),
  joined(
    fc.constantFrom(2, 3, 8, 10).map((length) => Uint8Array.of(3, length)),
    bytes(2),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
);

const fragmentOffset = fc.oneof(fc.constant(0), fc.nat(0x1fff));

function packet4(ends: Ends): fc.Arbitrary<Uint8Array> {
  const options = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(10)).chain((words) => bytes(4 * words));
  const fragment = fc.record({ offset: fragmentOffset, more: fc.boolean() });
  const shape = fc.tuple(transport, options, fc.option(fragment, { freq: 6 }), padding, bytes(9));
  return shape.map(([[proto, rest], opts, fragmented, pad, head]) => {
    const built = packetBytes({
      ...{ family: 4, ...ends, proto, transport: rest, extensions: [], padding: pad },
      ...{ optionWords: opts.length / 4, fragment: fragmented },
    });
    const packet = Buffer.from(built);
    packet.set(opts, 20);
    // What no other header depends on: DSCP and ECN, identification, time to live.
    packet.set([head[0] ?? 0], 1);
    packet.set(head.subarray(1, 3), 4);
    packet.set(head.subarray(3, 4), 8);
    return packet;
  });
}

/** A header of the chain without its first byte, which says what follows. */
const extension: fc.Arbitrary<readonly [kind: number, rest: Uint8Array]> = fc
  .constantFrom(0, 43, 60, FRAGMENT, FRAGMENT, AH)
  .chain((kind) => fc.tuple(fc.constant(kind), kind === FRAGMENT ? fragmentHeader : extensionOf(kind)));

const fragmentHeader = fc
  .tuple(byte, fragmentOffset, fc.nat(7), bytes(4))
  .map(([reserved, offset, low, id]) => {
    const rest = Buffer.alloc(7);
    rest.writeUInt8(reserved, 0);
    rest.writeUInt16BE((offset << 3) | low, 1);
    rest.set(id, 3);
    return Uint8Array.from(rest);
  });

function extensionOf(kind: number): fc.Arbitrary<Uint8Array> {
  return fc.nat(2).chain((length) => {
    const size = kind === AH ? (length + 2) * 4 : (length + 1) * 8;
    return joined(fc.constant(Uint8Array.of(length)), bytes(size - 2));
  });
}

function packet6(ends: Ends): fc.Arbitrary<Uint8Array> {
  const chain = fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(extension, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(extension, { minLength: 6, maxLength: 10 }) },
  );
  return fc.tuple(transport, chain, padding, bytes(5)).map(([[proto, rest], headers, pad, head]) => {
    const kinds = [...headers.map(([kind]) => kind), proto];
    const behind = headers.map(([, tail], i) => Buffer.from([kinds[i + 1] ?? 0, ...tail]));
    const built = packetBytes({
      ...{ family: 6, ...ends, proto: kinds[0] ?? proto, transport: Buffer.concat([...behind, rest]) },
      ...{ fragment: null, optionWords: 0, extensions: [], padding: pad },
    });
    const packet = Buffer.from(built);
    // Traffic class, flow label, hop limit.
    packet.set([0x60 | ((head[0] ?? 0) & 15), ...head.subarray(1, 4)], 0);
    packet.set(head.subarray(4), 7);
    return packet;
  });
}
