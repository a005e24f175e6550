/** Kinds of hop-by-hop options (IANA, "Destination Options and Hop-by-Hop Options"). */
const PAD_ONE = 0;
const PAD_MANY = 1;
const ROUTER_ALERT = 5;
const CALIPSO = 7;
const IOAM = 0x31;
const JUMBO = 0xc2;

const MAX_PADDING = 7;
/** net.ipv6.max_hbh_opts_number. */
const MAX_OPTIONS = 8;

export type HopByHopProblem =
  | "a hop-by-hop option is cut short"
  | "its hop-by-hop options hold more padding than alignment asks for"
  | "its hop-by-hop padding is not zero"
  | "it has more than 8 hop-by-hop options"
  | "a hop-by-hop option is one that the kernel refuses";

/**
 * What the kernel has against the options of the hop-by-hop header that `bytes` begin with (ip6_parse_tlv). Only this one
 * header is read by routers; destination options are not.
 */
export function hopByHopProblem(bytes: Uint8Array): HopByHopProblem | null {
  const header = bytes.subarray(0, ((bytes[1] ?? 0) + 1) * 8);
  let options = 0;
  let padding = 0;
  for (let at = 2; at < header.length; ) {
    const option = optionAt(header, at);
    if (!option) return "a hop-by-hop option is cut short";
    if (isPadding(option)) {
      padding += option.length;
      if (padding > MAX_PADDING) return "its hop-by-hop options hold more padding than alignment asks for";
      if (option.subarray(2).some((byte) => byte !== 0)) return "its hop-by-hop padding is not zero";
    } else {
      padding = 0;
      if (++options > MAX_OPTIONS) return "it has more than 8 hop-by-hop options";
      if (isRefused(option, at)) return "a hop-by-hop option is one that the kernel refuses";
    }
    at += option.length;
  }
  return null;
}

function optionAt(header: Uint8Array, at: number): Uint8Array | undefined {
  if (header[at] === PAD_ONE) return header.subarray(at, at + 1);
  const length = header[at + 1];
  if (length === undefined || at + 2 + length > header.length) return undefined;
  return header.subarray(at, at + 2 + length);
}

function isPadding([kind]: Uint8Array): boolean {
  return kind === PAD_ONE || kind === PAD_MANY;
}

/** `at`: counted from the header's start, a multiple of 8 in the packet. */
function isRefused(option: Uint8Array, at: number): boolean {
  const [kind = 0, length] = option;
  switch (kind) {
    case ROUTER_ALERT:
      return length !== 2;
    case IOAM:
      return at % 4 !== 0;
    // No label has a meaning to a node that none is configured on (CONFIG_NETLABEL), and no packet here is a jumbogram.
    case CALIPSO:
    case JUMBO:
      return true;
    default:
      // The upper two bits say what one does who does not know the option: 0, pass over it (RFC 8200, section 4.2).
      return kind >> 6 !== 0;
  }
}
