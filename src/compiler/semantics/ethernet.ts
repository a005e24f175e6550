import type { Family } from "../ir/address.js";

const ADDRESSES = 12;
const MAX_TAGS = 2;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** 802.1Q and 802.1ad. */
const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);

/** An IP packet in an Ethernet frame: what the EtherType announces, and the bytes behind it, padding included. */
export interface Carried {
  readonly family: Family;
  readonly bytes: Uint8Array;
  /** The control information of the outermost tag, or null. */
  readonly vlan: number | null;
}

/** Steps over the Ethernet header and at most two VLAN tags; undefined: not IP, left alone. */
export function stepOverEthernet(frame: Uint8Array): Carried | undefined {
  return stepOverTags(frame, ADDRESSES);
}

/** The same from the EtherType (or the first tag's) at `start` on. */
export function stepOverTags(frame: Uint8Array, start: number): Carried | undefined {
  let at = start;
  for (let tags = 0; tags < MAX_TAGS && TAGS.has(twoBytes(frame, at)); tags++) at += 4;
  const type = twoBytes(frame, at);
  if (type !== IPV4 && type !== IPV6) return undefined;
  const vlan = at === start ? null : twoBytes(frame, start + 2);
  return { family: type === IPV4 ? 4 : 6, bytes: frame.subarray(at + 2), vlan };
}

/** Two bytes as a number; NaN behind the end: a cut frame announces nothing. */
function twoBytes(frame: Uint8Array, at: number): number {
  return (frame[at] ?? Number.NaN) * 256 + (frame[at + 1] ?? Number.NaN);
}
