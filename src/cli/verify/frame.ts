import type { TestPacket } from "../../verify/packets.js";

/** Destination and source, both administered locally. */
const ADDRESSES = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const IPV4 = [0x08, 0x00];
const IPV6 = [0x86, 0xdd];
/** 802.1Q. */
const TAG = [0x81, 0x00];

/** The packet in an Ethernet frame, behind its VLAN tag if it has one. What is not IPv6 is announced as IPv4. */
export function frameOf({ bytes, surroundings: { vlan } }: TestPacket): Uint8Array {
  const tag = vlan === null ? [] : [...TAG, vlan >> 8, vlan & 0xff];
  const type = (bytes[0] ?? 0) >> 4 === 6 ? IPV6 : IPV4;
  const head = [...ADDRESSES, ...tag, ...type];
  const frame = new Uint8Array(head.length + bytes.length);
  frame.set(head);
  frame.set(bytes, head.length);
  return frame;
}
