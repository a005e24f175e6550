import fc from "fast-check";
import type { Family } from "../../src/compiler/ir/address.js";
import { type Expr, type Test, testsOf } from "../../src/compiler/ir/expr.js";
import { ADDRESS_FIELDS } from "../../src/compiler/ir/fields.js";
import type { Intervals } from "../../src/compiler/ir/intervals.js";
import { type AddressList, type Policy, rulesOf } from "../../src/compiler/ir/policy.js";
import type { Place } from "../../src/compiler/ir/wire.js";
import { writeHeaderChecksum } from "../../src/compiler/semantics/checksum.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { headerStart } from "../../src/compiler/semantics/headers.js";
import { frames } from "./frame-arbitrary.js";
import { range } from "./ir.js";
import { packetsFor } from "./packet-arbitrary.js";

/**
 * Packets with every header that there is, with values written where the policy's tests look: wide fields at odd places
 * would never be met by chance. The reference only says where to write; what the packet then means is asked anew.
 */
export function aimedPackets(policy: Policy): fc.Arbitrary<Uint8Array> {
  const aims = rulesOf(policy).flatMap(({ match }) => aimsIn(match, policy.lists));
  const any = shapedPackets(policy);
  if (aims.length === 0) return any.map(withChecksum);
  const writes = fc.array(
    fc
      .constantFrom(...aims)
      .chain(({ place, values }) => fc.tuple(fc.constant(place), fc.constantFrom(...values))),
    { minLength: 1, maxLength: 4 },
  );
  return fc.oneof(
    { weight: 1, arbitrary: any.map(withChecksum) },
    {
      weight: 4,
      arbitrary: fc.tuple(any, writes).map(([packet, all]) => withChecksum(all.reduce(write, packet))),
    },
  );
}

/** Packets of every shape, some of them long. */
export function shapedPackets(policy: Policy): fc.Arbitrary<Uint8Array> {
  const short = fc.oneof(packetsFor(policy), richPackets);
  return fc.oneof(
    { weight: 4, arbitrary: short },
    { weight: 1, arbitrary: fc.tuple(short, tail).map(lengthened) },
  );
}

const OWN = {
  4: { src: range("192.0.2.7").range.low, dst: range("203.0.113.100").range.low },
  6: { src: range("2001:db8:1::7").range.low, dst: range("2001:db8::9").range.low },
} as const;

/** Without what stands before the IP header: the namespace does not see it. */
const richPackets = frames(OWN).map((frame) => {
  return stepOverEthernet(frame)?.bytes ?? frame.subarray(14);
});

/** For fields that lie far behind their header's start. */
const tail = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.uint8Array({ minLength: 260, maxLength: 400 }),
);

function lengthened([packet, more]: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const decoded = decode(packet);
  if (decoded.kind !== "packet") return packet;
  const { bytes, family } = decoded.packet;
  const longer = Buffer.concat([bytes, more]);
  longer.writeUInt16BE(family === 4 ? longer.length : longer.length - 40, family === 4 ? 2 : 4);
  return Uint8Array.from(longer);
}

/** Where a test looks, and the values at which it turns. */
export interface Aim {
  readonly place: Place;
  readonly values: readonly bigint[];
}

export function aimsIn(match: Expr, lists: readonly AddressList[]): readonly Aim[] {
  return testsOf(match).flatMap((test) => aimOf(test, lists));
}

function aimOf(test: Test, lists: readonly AddressList[]): readonly Aim[] {
  const place = "family" in test ? addressPlace(test.field, test.family) : test.field;
  const last = (1n << BigInt(place.width)) - 1n;
  const values = turns(test, last, lists).filter((value) => value >= 0n && value <= last);
  return values.length > 0 ? [{ place, values }] : [];
}

function turns(test: Test, last: bigint, lists: readonly AddressList[]): readonly bigint[] {
  switch (test.kind) {
    case "bits":
      return [test.mask, last ^ test.mask];
    case "list":
      return lists.filter(({ name }) => name === test.list).flatMap((list) => edges(list[test.family]));
    default:
      return edges(test.ranges);
  }
}

function addressPlace(name: keyof typeof ADDRESS_FIELDS, family: Family): Place {
  const offset = 8 * ADDRESS_FIELDS[name].offset[family];
  return { header: family === 4 ? "ip4" : "ip6", offset, width: family === 4 ? 32 : 128 };
}

function edges(ranges: Intervals): readonly bigint[] {
  return ranges.flatMap(({ low, high }) => [low - 1n, low, (low + high) / 2n, high, high + 1n]);
}

/** The packet with the value at the place, if it has that. */
function write(bytes: Uint8Array, [place, value]: readonly [Place, bigint]): Uint8Array {
  const decoded = decode(bytes);
  if (decoded.kind !== "packet") return bytes;
  const start = startOf(decoded.packet, place);
  if (start === undefined) return bytes;
  const changed = Uint8Array.from(bytes);
  for (let bit = 0; bit < place.width; bit++) {
    const at = 8 * start + place.offset + bit;
    const [byte, mask] = [at >> 3, 0x80 >> (at & 7)];
    const set = (value >> BigInt(place.width - 1 - bit)) & 1n;
    if (byte < changed.length) changed[byte] = ((changed[byte] ?? 0) & ~mask) | (set === 1n ? mask : 0);
  }
  return changed;
}

/** Where the place's header starts, in bytes from the IP header; undefined: the packet has none, or it is no part of it. */
export function startOf(packet: Packet, { header }: Place): number | undefined {
  if (header === "proto") return packet.family === 4 ? 9 : 6;
  return header === "vlan" || header === "ct" ? undefined : headerStart(packet, header);
}

/** The kernel drops an IPv4 packet with a wrong header checksum before any rule (ip_rcv_core). */
export function withChecksum(bytes: Uint8Array): Uint8Array {
  const length = 4 * ((bytes[0] ?? 0) & 15);
  if ((bytes[0] ?? 0) >> 4 !== 4 || length < 20 || length > bytes.length) return bytes;
  const packet = Uint8Array.from(bytes);
  writeHeaderChecksum(packet);
  return packet;
}
