import type { TestPacket } from "../../verify/packets.js";

/** Destination and source, both administered locally. */
const ADDRESSES = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const IPV4 = [0x08, 0x00];
const IPV6 = [0x86, 0xdd];
/** 802.1Q. */
const TAG = [0x81, 0x00];

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
