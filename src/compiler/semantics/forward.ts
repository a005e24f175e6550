import type { Address } from "../ir/address.js";
import { FAST_TUNNELS, forwardsInXdp, isSentFromXdp, type Policy, type Route } from "../ir/policy.js";
import { viewOf } from "./bytes.js";
import type { Packet } from "./decode.js";
import { knownEarly } from "./early.js";
import { IPV6_HEADER } from "./extensions.js";
import { gateOf } from "./gates.js";
import { chooseRoutes } from "./route.js";

/** Why a packet that is allowed goes by the namespace. */
export const SLOW = {
  shared: "several tunnels share its prefix",
  tagged: "it has a VLAN tag",
  opening: "it opens a connection",
  special: "an address of it is special",
  extended: "it has extension headers",
  optional: "it has options, or is a fragment",
  undecided: "a rule on its way needs the namespace",
  late: `only the first ${FAST_TUNNELS} tunnels are known in XDP`,
  foreign: "its tunnel is the namespace's",
  long: "it is longer than the tunnel's MTU",
} as const;

/**
 * The fast path (docs/semantics.md): the route of a packet that XDP sends on itself, where the outer way is known there; or why
 * it goes on to the namespace, which says the same of it. So this says nothing of verdicts, but who counts. null: the policy
 * has no fast path, or does not allow the packet.
 */
export function fastPath(policy: Policy, packet: Packet): Route | string | null {
  if (!forwardsInXdp(policy) || gateOf(packet) || knownEarly(policy, packet) === "drop") return null;
  const [route, ...others] = chooseRoutes(policy, packet.destination);
  if (!route) return null;
  if (others.length > 0) return SLOW.shared;
  return whyNotPlain(packet) ?? whyNotKnown(policy, packet) ?? whyNotBy(route, policy, packet) ?? route;
}

/** A router passes it on by nothing but its destination. */
function whyNotPlain(packet: Packet): string | null {
  const { surroundings, source, destination, family } = packet;
  if (surroundings.vlan !== null) return SLOW.tagged;
  if (opensConnection(packet)) return SLOW.opening;
  if (!isUnicast(source) || !isUnicast(destination)) return SLOW.special;
  if (family === 6) return isPlain6(packet) ? null : SLOW.extended;
  return isPlain4(packet) ? null : SLOW.optional;
}

function whyNotKnown(policy: Policy, packet: Packet): string | null {
  return knownEarly(policy, packet) === "allow" ? null : SLOW.undecided;
}

function whyNotBy({ tunnel: name }: Route, { tunnels }: Policy, { bytes }: Packet): string | null {
  const place = tunnels.findIndex((tunnel) => tunnel.name === name);
  const tunnel = tunnels[place];
  if (!tunnel || place >= FAST_TUNNELS) return SLOW.late;
  if (!isSentFromXdp(tunnel)) return SLOW.foreign;
  return bytes.length > tunnel.mtu ? SLOW.long : null;
}

/** The namespace sees to it that a SYN promises no larger segments than fit (MSS). */
function opensConnection({ bytes, transport }: Packet): boolean {
  const flags = transport?.header === "tcp" ? bytes[transport.offset + 13] : undefined;
  return flags !== undefined && (flags & 2) !== 0;
}

/** All bits of the third word's lower half but "don't fragment". */
const UNCUT = 0xbfff;

function isPlain4({ bytes }: Packet): boolean {
  return bytes[0] === 0x45 && (viewOf(bytes).getUint16(6) & UNCUT) === 0;
}

function isPlain6({ bytes, protocol, fragmentHeader, transport }: Packet): boolean {
  const isFirst = transport === null || transport.offset === IPV6_HEADER;
  return fragmentHeader === null && protocol === bytes[6] && isFirst;
}

/** IPv6: of what is in use as unicast, 2000::/3 (RFC 4291, section 2.4). */
function isUnicast({ family, value }: Address): boolean {
  if (family === 6) return value >> 125n === 1n;
  const first = value >> 24n;
  return first !== 0n && first !== 127n && first < 224n;
}
