import type { Flow } from "./rulesets/flow-rule.js";
import { packetOf, packetOfLength } from "./rulesets/trace.js";

/** One cache line, so that copying a frame costs the same for each; bench/bpf/feed.bpf.c copies as much. */
export const FRAME_BYTES = 64;

/** Destination and source, both administered locally; the EtherType of IPv4. */
const ETHERNET = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];

/** The flow's packet in an Ethernet frame, padded as short frames are. */
export function frameOf(flow: Flow): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  frame.set(ETHERNET);
  frame.set(packetOf(flow), ETHERNET.length);
  return frame;
}

/** The flow's packet in an Ethernet frame that it fills. */
export function fullFrameOf(flow: Flow): Uint8Array {
  return Uint8Array.from([...ETHERNET, ...packetOfLength(FRAME_BYTES - ETHERNET.length, flow)]);
}

/** `struct flow` of bench/bpf/flow.h. */
export function flowKey({ source, destination, sourcePort, destinationPort, protocol }: Flow): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(source, 0);
  key.writeUInt32BE(destination, 4);
  key.writeUInt16BE(sourcePort, 8);
  key.writeUInt16BE(destinationPort, 10);
  key.writeUInt32LE(protocol, 12);
  return key;
}
