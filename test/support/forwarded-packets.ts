import type { Chance } from "../../src/compiler/analysis/chance.js";
import { type Address, addressBytes, prefixRange } from "../../src/compiler/ir/address.js";
import { forwardsInXdp, type Policy } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { withLength } from "../../src/verify/variants.js";
import { withChecksum } from "./aimed-packets.js";

/** Where a policy that sends packets from XDP turns: the ends of its routes, and what its tunnels take. */
export interface Turns {
  readonly destinations: readonly Address[];
  readonly lengths: readonly number[];
}

/** null: it sends none. */
export function turnsOf(policy: Policy): Turns | null {
  if (!forwardsInXdp(policy)) return null;
  const destinations = policy.routes.flatMap(({ prefix }) => {
    const { low, high } = prefixRange(prefix);
    return [low, high].map((value) => ({ family: prefix.family, value }));
  });
  const lengths = policy.tunnels.flatMap(({ mtu }) => [mtu, mtu + 1]);
  return { destinations, lengths };
}

type Bare = Pick<TestPacket, "bytes" | "surroundings">;

/** Half of them as a router passes them on without a second look, or just not so. */
export function turned(packet: Bare, turns: Turns, chance: Chance): Bare {
  const decoded = decode(packet.bytes);
  if (decoded.kind === "malformed" || chance.oneIn(2)) return packet;
  const { family } = decoded.packet;
  const bytes = Uint8Array.from(packet.bytes);
  const source = chance.among(chance.oneIn(4) ? SPECIAL[family] : USUAL[family]);
  bytes[SOURCE[family]] = source ?? 0;
  bytes[HOPS[family]] = chance.oneIn(6) ? chance.below(3) : 1 + chance.below(255);
  const to = chance.among(turns.destinations.filter((one) => one.family === family));
  if (to && chance.oneIn(3)) bytes.set(addressBytes(to), DESTINATION[family]);
  const flags = decoded.packet.transport?.header === "tcp" ? decoded.packet.transport.offset + 13 : 0;
  if (flags > 0 && flags < bytes.length && !chance.oneIn(4)) bytes[flags] = 0x10;
  const long = chance.oneIn(12) ? stretched(bytes, family, chance.among(turns.lengths) ?? 0) : bytes;
  const vlan = chance.oneIn(4) ? packet.surroundings.vlan : null;
  return { bytes: withChecksum(long), surroundings: { ...packet.surroundings, vlan } };
}

function stretched(bytes: Uint8Array, family: 4 | 6, length: number): Uint8Array {
  if (bytes.length >= length) return bytes;
  const longer = new Uint8Array(length);
  longer.set(bytes);
  return withLength(longer, family);
}

const SOURCE = { 4: 12, 6: 8 } as const;
const DESTINATION = { 4: 16, 6: 24 } as const;
const HOPS = { 4: 8, 6: 7 } as const;

/** First bytes of sources: those at which a router looks twice, and their neighbours. */
const SPECIAL = { 4: [0, 1, 126, 127, 128, 223, 224, 255], 6: [0x1f, 0x20, 0x3f, 0x40, 0xfe] } as const;
const USUAL = { 4: [192, 10, 203], 6: [0x20, 0x26] } as const;
