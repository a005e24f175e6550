import type { Family } from "../../compiler/ir/address.js";
import { viewOf } from "../../compiler/semantics/bytes.js";
import { stepOverEthernet, stepOverTags } from "../../compiler/semantics/ethernet.js";
import { type CapturedFrame, CaptureError } from "./frame.js";

/** What a frame carries: an IP packet (`family` undefined: its link does not announce one), or something else. */
export interface LinkPayload {
  readonly family: Family | undefined;
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  /** The control information of the outermost VLAN tag, or null. */
  readonly vlan: number | null;
}

type Link = (frame: CapturedFrame) => LinkPayload | undefined;

/** The numbers are those of tcpdump.org/linktypes.html. */
const LINKS: Readonly<Record<number, Link>> = {
  0: loopback,
  1: ({ bytes }) => stepOverEthernet(bytes),
  // What DLT_RAW is on some systems, and then the type that all of them write.
  12: raw,
  14: raw,
  101: raw,
  108: loopback,
  113: ({ bytes }) => stepOverTags(bytes, 14),
  228: ({ bytes }) => ({ family: 4, bytes, vlan: null }),
  229: ({ bytes }) => ({ family: 6, bytes, vlan: null }),
  239: netfilterLog,
  276: linuxCooked2,
};

/** The longest header of a link that is read, tags included. A frame that was cut within may carry anything. */
export const LONGEST_LINK_HEADER = 28;

/** The packet in a frame; undefined: it carries no IP. Throws `CaptureError` for a link that is not read. */
export function linkPayload(frame: CapturedFrame): LinkPayload | undefined {
  const link = LINKS[frame.linkType];
  if (link) return link(frame);
  throw new CaptureError(
    frame.offset,
    `a packet of link type ${frame.linkType}; those that can be read are Ethernet (1), raw IP (101, 228, 229), ` +
      "Linux cooked (113, 276), loopback (0, 108) and NFLOG (239)",
  );
}

function raw({ bytes }: CapturedFrame): LinkPayload {
  return { family: undefined, bytes, vlan: null };
}

const AF_INET = 2;
/** Linux, NetBSD and OpenBSD, FreeBSD, macOS. */
const AF_INET6: ReadonlySet<number> = new Set([10, 24, 28, 30]);

/** An address family in one byte order or the other; none is above 255. */
function loopback({ bytes }: CapturedFrame): LinkPayload | undefined {
  if (bytes.length < 4) return undefined;
  const view = viewOf(bytes);
  return ofFamily(Math.min(view.getUint32(0, true), view.getUint32(0, false)), bytes.subarray(4));
}

function ofFamily(number: number, bytes: Uint8Array): LinkPayload | undefined {
  if (number === AF_INET) return { family: 4, bytes, vlan: null };
  return AF_INET6.has(number) ? { family: 6, bytes, vlan: null } : undefined;
}

/** The protocol stands first, and what it speaks of behind all else of the header. */
function linuxCooked2({ bytes }: CapturedFrame): LinkPayload | undefined {
  if (bytes.length < 20) return undefined;
  return stepOverTags(Uint8Array.from([...bytes.subarray(0, 2), ...bytes.subarray(20)]), 0);
}

const NFULA_PAYLOAD = 9;

/** Family, version, resource; then values, each behind its length and type in the capturing machine's byte order. */
function netfilterLog({ bytes, littleEndian }: CapturedFrame): LinkPayload | undefined {
  const view = viewOf(bytes);
  for (let at = 4; at + 4 <= bytes.length; ) {
    const [length, type] = [view.getUint16(at, littleEndian), view.getUint16(at + 2, littleEndian)];
    if (length < 4) return undefined;
    if (type === NFULA_PAYLOAD) return ofFamily(view.getUint8(0), bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return undefined;
}
