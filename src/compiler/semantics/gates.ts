import { ipv4HeaderLength } from "./bytes.js";
import { internetChecksum } from "./checksum.js";
import type { Packet } from "./decode.js";
import { IPV6_HEADER } from "./extensions.js";
import { type HopByHopProblem, hopByHopProblem } from "./hop-by-hop.js";
import { type OptionProblem, optionProblem } from "./ip-options.js";

/**
 * Where the kernel itself drops a packet, whatever the policy says of it. All of them lie between `mitigate`, which XDP
 * decides, and the firewall, which stands behind the node's forwarding. `arrival`: before the first hook of netfilter
 * (ip_rcv_core, ip6_rcv_core). `forwarding`: behind it, in routing or when it is passed on (ip_rcv_finish, ip_forward,
 * ip6_forward).
 */
export interface Gate {
  readonly at: "arrival" | "forwarding";
  readonly reason: GateReason;
}

export type GateReason =
  | "its IP header checksum is wrong"
  | "its source is the loopback address"
  | "its source is a multicast address"
  | "its source is the broadcast address"
  | "its source is the unspecified address"
  | "its source is a link-local address"
  | "its time to live ends here"
  | OptionProblem
  | HopByHopProblem;

/** The gate that takes a well-formed packet, or null. */
export function gateOf(packet: Packet): Gate | null {
  return packet.family === 4 ? gateOf4(packet) : gateOf6(packet);
}

function gateOf4({ bytes, source }: Packet): Gate | null {
  // The checksum of a header and its own checksum is 0 (RFC 1071).
  if (internetChecksum(bytes.subarray(0, ipv4HeaderLength(bytes))) !== 0)
    return { at: "arrival", reason: "its IP header checksum is wrong" };
  const reason =
    optionProblem(bytes.subarray(20, ipv4HeaderLength(bytes))) ??
    sourceProblem4(source.value) ??
    lifetimeProblem(bytes[8]);
  return reason && { at: "forwarding", reason };
}

/** ip_route_input_slow: "martian" sources. 0.1.2.3 and 240.0.0.1 are none of them. */
function sourceProblem4(source: bigint): GateReason | null {
  if (source === 0n) return "its source is the unspecified address";
  if (source >> 24n === 127n) return "its source is the loopback address";
  if (source >> 28n === 0xen) return "its source is a multicast address";
  return source === 0xffffffffn ? "its source is the broadcast address" : null;
}

function gateOf6({ bytes, source }: Packet): Gate | null {
  const early = arrivalProblem6(source.value, bytes);
  if (early) return { at: "arrival", reason: early };
  const late = lifetimeProblem(bytes[7]) ?? sourceProblem6(source.value);
  return late && { at: "forwarding", reason: late };
}

function arrivalProblem6(source: bigint, bytes: Uint8Array): GateReason | null {
  if (source === 1n) return "its source is the loopback address";
  if (source >> 120n === 0xffn) return "its source is a multicast address";
  return bytes[6] === 0 ? hopByHopProblem(bytes.subarray(IPV6_HEADER)) : null;
}

/** ip6_forward. */
function sourceProblem6(source: bigint): GateReason | null {
  if (source === 0n) return "its source is the unspecified address";
  return source >> 118n === 0x3fan ? "its source is a link-local address" : null;
}

/** A router passes nothing on whose time to live, or hop limit, is 1 or less (RFC 1812, section 5.3.1; RFC 8200, section 3). */
function lifetimeProblem(ttl: number | undefined): GateReason | null {
  return (ttl ?? 0) <= 1 ? "its time to live ends here" : null;
}
