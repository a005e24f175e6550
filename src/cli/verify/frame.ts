import type { Address } from "../../compiler/ir/address.js";
import { decode } from "../../compiler/semantics/decode.js";
import { encapsulated, type OuterHeader } from "../../compiler/semantics/encapsulate.js";
import type { TestPacket } from "../../verify/packets.js";

/** Destination and source, both administered locally. */
const ADDRESSES = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const IPV4 = [0x08, 0x00];
const IPV6 = [0x86, 0xdd];
/** 802.1Q. */
const TAG = [0x81, 0x00];

/**
 * What stands for the edge servers' own address: 240.0.0.1, as what comes from there has no fast path anyway. From an address that
 * packets of a policy may have, these would be the node's own, of which the reference knows nothing.
 */
export const ANYCAST: Address = { family: 4, value: 0xf0000001n };

/** From the uplink (uplink.ts) to the next hop of all tunnels. */
const ONWARD = [2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 3, ...IPV4];

/** Without a tag, by what is announced. */
const PLAIN = { 4: [...ADDRESSES, ...IPV4], 6: [...ADDRESSES, ...IPV6] } as const;

/** The packet in an Ethernet frame, behind its VLAN tag if it has one. What is not IPv6 is announced as IPv4. */
export function frameOf({ bytes, surroundings: { vlan } }: TestPacket): Uint8Array {
  const family = (bytes[0] ?? 0) >> 4 === 6 ? 6 : 4;
  const head = vlan === null ? PLAIN[family] : tagged(family, vlan);
  const frame = new Uint8Array(head.length + bytes.length);
  frame.set(head);
  frame.set(bytes, head.length);
  return frame;
}

function tagged(family: 4 | 6, vlan: number): readonly number[] {
  return [...ADDRESSES, ...TAG, vlan >> 8, vlan & 0xff, ...(family === 6 ? IPV6 : IPV4)];
}

/** The frame that leaves when the packet, which is well-formed, is sent into the tunnel: what filled its frame is cut off. */
export function sentFrame({ bytes }: TestPacket, tunnel: OuterHeader): Uint8Array {
  const decoded = decode(bytes);
  const own = decoded.kind === "packet" ? decoded.packet.bytes : bytes;
  return Uint8Array.from([...ONWARD, ...encapsulated(own, tunnel, ANYCAST)]);
}
