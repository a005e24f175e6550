/** Bytes of the fixed IPv6 header (RFC 8200). */
export const IPV6_HEADER = 40;
const MAX_EXTENSIONS = 8;

/** IANA protocol numbers of the IPv6 extension headers that are walked. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;

/** Where a chain of extension headers ends, and what follows it. */
interface Chain {
  /** null: it cannot be known. */
  readonly protocol: number | null;
  readonly end: number;
  readonly laterFragment: boolean;
}

export interface Extensions extends Chain {
  /** Where the fragment header starts; it may stand behind the chain's end, and be cut there like any other header. */
  readonly fragmentHeader: number | null;
}

export type ExtensionProblem =
  | "an extension header ends behind the packet"
  | "it has more than 8 extension headers"
  | "it has two fragment headers";

/**
 * Walks the extension headers of an IPv6 packet, cut to its own length. An AH ends the chain, as no transport header is
 * looked for behind one; but the kernel looks for a fragment header there too (ipv6_find_hdr), so the walk goes on.
 */
export function walkExtensions(bytes: Uint8Array): Extensions | ExtensionProblem {
  let next = bytes[6] ?? 0;
  let at = IPV6_HEADER;
  let chain: Chain | null = null;
  let fragmentHeader: number | null = null;
  for (let walked = 0; isExtension(next); walked++) {
    if (walked === MAX_EXTENSIONS) return "it has more than 8 extension headers";
    if (next === FRAGMENT && fragmentHeader !== null) return "it has two fragment headers";
    if (next === AUTHENTICATION) chain ??= chainAtAuthentication(bytes, at);
    if (next === FRAGMENT) fragmentHeader = at;
    const header = readExtension(bytes, at, next);
    if (!header) return chain ? { ...chain, fragmentHeader } : "an extension header ends behind the packet";
    at = header.end;
    next = header.next;
    if (header.laterFragment) return { ...(chain ?? chainAtFragment(next, at)), fragmentHeader };
  }
  return { ...(chain ?? { protocol: next, end: at, laterFragment: false }), fragmentHeader };
}

/** The kernel reads an AH's first two bytes before it ends the chain there. */
function chainAtAuthentication(bytes: Uint8Array, end: number): Chain {
  return { protocol: end + 2 > bytes.length ? null : AUTHENTICATION, end, laterFragment: false };
}

/** The rest of the chain is in the first fragment: where one follows, the protocol cannot be known from this one. */
function chainAtFragment(next: number, end: number): Chain {
  return { protocol: isExtension(next) ? null : next, end, laterFragment: true };
}

interface Extension {
  readonly next: number;
  readonly end: number;
  readonly laterFragment: boolean;
}

/** undefined: it ends behind the packet. */
function readExtension(bytes: Uint8Array, at: number, type: number): Extension | undefined {
  const [next = 0, length = 0, high = 0, low = 0] = bytes.subarray(at, at + 4);
  const end = at + extensionLength(type, length);
  if (at + 8 > bytes.length || end > bytes.length) return undefined;
  return { next, end, laterFragment: type === FRAGMENT && ((high << 8) | low) >> 3 !== 0 };
}

/** In bytes (RFC 8200; RFC 4302 for AH, whose length counts words, less two). */
export function extensionLength(type: number, length: number): number {
  if (type === FRAGMENT) return 8;
  return type === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
}

export function isExtension(next: number): boolean {
  return (
    next === HOP_BY_HOP ||
    next === ROUTING ||
    next === FRAGMENT ||
    next === AUTHENTICATION ||
    next === DESTINATION_OPTIONS
  );
}
