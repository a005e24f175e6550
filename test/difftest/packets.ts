import fc from "fast-check";
import { Chance } from "../../src/compiler/analysis/chance.js";
import { ADDRESS_BITS } from "../../src/compiler/ir/address.js";
import { ADDRESS_FIELDS } from "../../src/compiler/ir/fields.js";
import type { Header } from "../../src/compiler/ir/headers.js";
import { type Policy, rulesOf } from "../../src/compiler/ir/policy.js";
import { ALONE, decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { gateOf } from "../../src/compiler/semantics/gates.js";
import { owns } from "../../src/compiler/semantics/route.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { type Aim, aimsIn, shapedPackets, startOf, withChecksum } from "../support/aimed-packets.js";
import { turned, turnsOf } from "../support/forwarded-packets.js";

/**
 * Packets by the thousand for each of thousands of policies. Building one from its parts takes ten times as long as judging
 * it, so they are built once, and for each policy the values at which its tests turn are written into copies.
 */
export interface Supply {
  readonly all: readonly Template[];
  /** Those that have the header. */
  readonly having: ReadonlyMap<Header, readonly Template[]>;
}

interface Template {
  readonly bytes: Uint8Array;
  /** null: malformed. */
  readonly packet: Packet | null;
}

/** Of so many packets that come to the firewall there is one that does not. */
const ASTRAY = 16;

/** Packets to the prefixes of `policy`, of every shape; few of them malformed, to others, or dropped by the kernel itself. */
export function supplyFor(policy: Policy, size: number, seed: number): Supply {
  const templates = fc.sample(shapedPackets(policy), { numRuns: size, seed }).map(templateOf);
  const arriving = templates.filter(
    ({ packet }) => packet && owns(policy, packet.destination) && !gateOf(packet),
  );
  const astray = templates.filter((template) => !arriving.includes(template));
  const all = [...arriving, ...astray.slice(0, arriving.length / ASTRAY)];
  const having = new Map<Header, readonly Template[]>();
  for (const header of WRITABLE) {
    const place = { header, offset: 0, width: 8 };
    const fitting = all.filter(({ packet }) => packet && startOf(packet, place) !== undefined);
    having.set(header, fitting);
  }
  return { all, having };
}

function templateOf(packet: Uint8Array): Template {
  const bytes = withChecksum(packet);
  const decoded = decode(bytes);
  return { bytes, packet: decoded.kind === "packet" ? decoded.packet : null };
}

/** Headers that are bytes of packets. */
const WRITABLE: readonly Header[] = [
  ...(["ip4", "ip6", "proto", "tcp", "udp", "icmp", "icmp6", "gre"] as const),
  ...(["ip4Option", "fragment6", "tcpPayload", "tcpMss", "greKey"] as const),
];

/** Bytes that a value is written into, from `byte` on: where `mask` has a bit, the packet takes that of `value`. */
interface Target {
  readonly place: Aim["place"];
  readonly byte: number;
  readonly mask: Uint8Array;
  readonly values: readonly Uint8Array[];
}

const FIRST = 1_000_000_000n;

/** `count` packets, in their order of time; the same seed gives the same. */
export function aimedFrom(
  supply: Supply,
  policy: Policy,
  count: number,
  seed: number,
): readonly TestPacket[] {
  const chance = new Chance(seed);
  const rules = rulesOf(policy);
  const targets = rules.map(({ match }) =>
    aimsIn(match, policy.lists)
      .map((aim) => (chance.oneIn(ASTRAY) ? aim : owned(policy, aim)))
      .map(targetOf),
  );
  const turns = turnsOf(policy);
  const spans = rules.flatMap(({ action }) => (action.kind === "limit" ? [action.limit.interval] : []));
  let at = FIRST;
  return Array.from({ length: count }, () => {
    at += pause(chance, spans);
    const made = one(supply, chance.among(targets) ?? [], chance);
    return { ...(turns ? turned(made, turns, chance) : made), at, why: "random" };
  });
}

/** Without destinations that are not the customer's, which no rule is asked about. */
function owned(policy: Policy, { place, values }: Aim): Aim {
  const family = place.header === "ip4" ? 4 : 6;
  const isDestination =
    (place.header === "ip4" || place.header === "ip6") &&
    place.offset === 8 * ADDRESS_FIELDS["ip.dst"].offset[family] &&
    place.width === ADDRESS_BITS[family];
  return isDestination
    ? { place, values: values.filter((value) => owns(policy, { family, value })) }
    : { place, values };
}

/** Aimed at one rule, so that all parts of a conjunction may be met. */
function one(supply: Supply, targets: readonly Target[], chance: Chance): Omit<TestPacket, "at" | "why"> {
  const first = chance.oneIn(8) ? undefined : chance.among(targets);
  const fitting = (first && supply.having.get(first.place.header)) ?? supply.all;
  const { bytes, packet } = chance.among(fitting) ?? { bytes: new Uint8Array(), packet: null };
  const copy = Uint8Array.from(bytes);
  if (packet && first) {
    write(copy, packet, first, chance);
    for (const target of targets) if (!chance.oneIn(3)) write(copy, packet, target, chance);
  }
  const surroundings = { ...ALONE, vlan: tagFor(targets, chance) };
  if (chance.oneIn(24)) return { bytes: damaged(copy, chance), surroundings };
  return { bytes: chance.oneIn(64) ? copy : withChecksum(copy), surroundings };
}

/** Values by bytes, as the place lies in them. */
function targetOf({ place, values }: Aim): Target {
  const first = place.offset >> 3;
  const length = ((place.offset + place.width + 7) >> 3) - first;
  const below = BigInt(8 * (first + length) - place.offset - place.width);
  const spread = (value: bigint) => {
    const hex = (value << below).toString(16).padStart(2 * length, "0");
    return Uint8Array.from(Buffer.from(hex, "hex"));
  };
  const mask = spread((1n << BigInt(place.width)) - 1n);
  const byte = place.header === "proto" ? 0 : first;
  return { place, byte, mask, values: values.map(spread) };
}

function write(
  bytes: Uint8Array,
  packet: Packet,
  { place, byte, mask, values }: Target,
  chance: Chance,
): void {
  const start = startOf(packet, place);
  const value = chance.among(values);
  if (start === undefined || !value || start + byte + mask.length > bytes.length) return;
  mask.forEach((bits, index) => {
    const at = start + byte + index;
    bytes[at] = ((bytes[at] ?? 0) & ~bits) | (value[index] ?? 0);
  });
}

/** A tag's control information: priorities (0x8000, 0x7000) are no part of the ID. */
const TAGS = [0, 1, 7, 2047, 2048, 4094, 4095, 0x8001, 0x7fff];

function tagFor(targets: readonly Target[], chance: Chance): number | null {
  const asked = targets.find(({ place }) => place.header === "vlan");
  const value = asked && !chance.oneIn(4) ? chance.among(asked.values) : undefined;
  if (value) return ((value[0] ?? 0) << 8) | (value[1] ?? 0);
  return chance.oneIn(12) ? (chance.among(TAGS) ?? null) : null;
}

/** Cut somewhere, or with a few bytes changed, mostly those of the IP header. */
function damaged(bytes: Uint8Array, chance: Chance): Uint8Array {
  const cut = chance.oneIn(2) ? bytes.slice(0, chance.below(bytes.length + 1)) : bytes;
  for (let left = chance.below(4); left > 0 && cut.length > 0; left--) {
    cut[chance.below(Math.min(cut.length, 48))] = chance.below(256);
  }
  return chance.oneIn(2) ? withChecksum(cut) : cut;
}

/** Mostly a little time; sometimes as much as a limit forgets in. */
function pause(chance: Chance, spans: readonly bigint[]): bigint {
  const span = chance.oneIn(4) ? chance.among(spans) : undefined;
  return span === undefined ? BigInt(chance.below(1000)) : (span * BigInt(chance.below(5))) / 2n;
}
