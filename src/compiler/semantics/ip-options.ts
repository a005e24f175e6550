/** Kinds of IPv4 options (IANA, "IP Option Numbers"). */
const END = 0;
const NOTHING = 1;
const RECORD_ROUTE = 7;
const TIMESTAMP = 0x44;
const LOOSE_ROUTE = 0x83;
const CIPSO = 0x86;
const STRICT_ROUTE = 0x89;
const ROUTER_ALERT = 0x94;

export type OptionProblem =
  | "an IPv4 option is malformed"
  | "an IPv4 option is one that the kernel refuses"
  | "it has a source route";

/**
 * What the kernel has against the options of an IPv4 header (__ip_options_compile, ip_rcv_options). A source route is
 * refused by whoever forwards for others (net.ipv4.conf.*.accept_source_route), a CIPSO label where none is configured;
 * an unknown option is passed on. What must not occur twice: each of the three that record or lead the way.
 */
export function optionProblem(options: Uint8Array): OptionProblem | null {
  const seen = new Set<string>();
  let routed = false;
  for (let at = 0; at < options.length; ) {
    const kind = options[at] ?? END;
    if (kind === END) break;
    const length = kind === NOTHING ? 1 : (options[at + 1] ?? 0);
    if (kind !== NOTHING && (length < 2 || at + length > options.length))
      return "an IPv4 option is malformed";
    const option = options.subarray(at, at + length);
    if (kind === CIPSO) return "an IPv4 option is one that the kernel refuses";
    const recorder = RECORDERS.get(kind);
    if (isMalformed(option) || (recorder !== undefined && seen.has(recorder)))
      return "an IPv4 option is malformed";
    if (recorder !== undefined) seen.add(recorder);
    routed ||= recorder === "source route";
    at += length;
  }
  return routed ? "it has a source route" : null;
}

const RECORDERS: ReadonlyMap<number, string> = new Map([
  [LOOSE_ROUTE, "source route"],
  [STRICT_ROUTE, "source route"],
  [RECORD_ROUTE, "record route"],
  [TIMESTAMP, "timestamp"],
]);

/** Pointers count from 1, at the option's kind (RFC 791, section 3.1). One behind the option says that it is full. */
function isMalformed(option: Uint8Array): boolean {
  const [kind, length = 0, pointer = 0, flags = 0] = option;
  switch (kind) {
    case LOOSE_ROUTE:
    case STRICT_ROUTE:
      return length < 3 || pointer < 4;
    case RECORD_ROUTE:
      return length < 3 || pointer < 4 || (pointer <= length && pointer + 3 > length);
    case TIMESTAMP:
      return length < 4 || pointer < 5 || !hasRoomForTime(length, pointer, flags);
    case ROUTER_ALERT:
      return length < 4;
    default:
      return false;
  }
}

/** The flags' low half: 0, times; 1 and 3, addresses with times. The upper half counts routers that found no room. */
function hasRoomForTime(length: number, pointer: number, flags: number): boolean {
  const form = flags & 0x0f;
  if (pointer > length) return form === 3 || flags >> 4 !== 15;
  return pointer + (form === 1 || form === 3 ? 7 : 3) <= length;
}
