import { impossible } from "../../compiler/diagnostics/invariant.js";
import { type BitsTest, type Expr, type Needs, type NumberTest, testsOf } from "../../compiler/ir/expr.js";
import type { Header } from "../../compiler/ir/headers.js";
import type { WireField, WireName } from "../../compiler/ir/wire.js";
import { type Condition, call, comparison } from "./condition.js";

/** How a customer's program comes by the bits of each place: bpf-templates/tidegate.h and fields.h. */

/** Where a header lies: members of struct tg_packet. */
interface Location {
  /** Offset in the frame. */
  readonly start: string;
  /** Bytes from there on that lie inside the packet's own length, or null: the IP header starts the packet. */
  readonly bytes: string | null;
}

const IP: Location = { start: "p->ip", bytes: null };

function transport(bytes: string): Location {
  return { start: "p->transport", bytes };
}

/** Headers whose start the root program does not look for; tg_find_…() of the name does, once a packet. */
const SOUGHT = {
  ip4Option: "ip4_option",
  tcpPayload: "tcp_payload",
  tcpMss: "tcp_mss",
  greKey: "gre_key",
} as const satisfies Partial<Record<Header, string>>;

export type SoughtHeader = (typeof SOUGHT)[keyof typeof SOUGHT];

function sought(header: keyof typeof SOUGHT): Location {
  return { start: `p->${SOUGHT[header]}`, bytes: `p->${SOUGHT[header]}_bytes` };
}

/** Headers that are bytes of the frame. */
type FrameHeader = Exclude<Header, "proto" | "vlan" | "ct">;

const LOCATIONS: Readonly<Record<FrameHeader, Location>> = {
  ip4: IP,
  ip6: IP,
  fragment6: { start: "p->fragment6", bytes: "p->fragment6_bytes" },
  tcp: transport("p->tcp_bytes"),
  udp: transport("p->udp_bytes"),
  icmp: transport("p->icmp_bytes"),
  icmp6: transport("p->icmp6_bytes"),
  gre: transport("p->gre_bytes"),
  ip4Option: sought("ip4Option"),
  tcpPayload: sought("tcpPayload"),
  tcpMss: sought("tcpMss"),
  greKey: sought("greKey"),
};

/** Bytes of each header that are known to be there. */
export type Present = ReadonlyMap<Header, number>;

/** What must hold before `bytes` bytes of the header may be read, besides what is known. */
export function guards({ header, bytes }: Needs, present: Present): readonly Condition[] {
  const known = present.get(header) ?? 0;
  if (bytes <= known) return [];
  switch (header) {
    case "ip4":
      return ipGuards(4, 20, bytes, known);
    case "ip6":
      return ipGuards(6, 40, bytes, known);
    case "proto":
      return [call("p->proto_known")];
    case "vlan":
      return [call("p->tagged")];
    case "ct":
      return impossible("the check refuses connection state in XDP");
    default:
      return [comparison(`${LOCATIONS[header].bytes} >= ${bytes}`)];
  }
}

/** The root program drops a packet whose IP header is not whole, so the family says that the fixed header is there. */
function ipGuards(family: 4 | 6, fixed: number, bytes: number, known: number): readonly Condition[] {
  const ofFamily = known > 0 ? [] : [comparison(`p->family == ${family}`)];
  return bytes <= fixed ? ofFamily : [...ofFamily, comparison(`p->length >= ${bytes}`)];
}

/** A number of the packet in C, behind its guards. */
export interface Value {
  /** What must be called first, and never is false behind the guards. */
  readonly read: Condition | null;
  readonly text: string;
}

export function numberOf(field: WireField): Value {
  if (isMember(field)) return { read: null, text: MEMBERS[field.name] };
  switch (field.header) {
    case "proto":
      return impossible("the protocol number is read as a whole");
    case "vlan":
      return { read: null, text: part("p->vlan", 16, field) };
    case "ct":
      return impossible("the check refuses connection state in XDP");
    default:
      return { read: call(readCall(field, field.header)), text: "p->number" };
  }
}

/** Places that the root program reads for everybody, as members of struct tg_packet. */
const MEMBERS = {
  "ip.proto": "p->ip_proto",
  "tcp.srcport": "p->tcp_srcport",
  "tcp.dstport": "p->tcp_dstport",
  "tcp.flags": "p->tcp_flags",
  "tcp.window": "p->tcp_window",
  "udp.srcport": "p->udp_srcport",
  "udp.dstport": "p->udp_dstport",
  "udp.len": "p->udp_len",
  "icmp.type": "p->icmp_type",
  "icmp.code": "p->icmp_code",
  "icmp6.type": "p->icmp6_type",
  "icmp6.code": "p->icmp6_code",
} as const satisfies Partial<Record<WireName, string>>;

function isMember(field: WireField): field is WireField & { readonly name: keyof typeof MEMBERS } {
  return Object.hasOwn(MEMBERS, field.name);
}

/** Some bits of a member that is `bits` wide. */
function part(member: string, bits: number, { offset, width }: WireField): string {
  const shift = bits - offset - width;
  return `(${member}${shift === 0 ? "" : ` >> ${shift}`} & 0x${(2 ** width - 1).toString(16)})`;
}

function readCall({ name, offset, width }: WireField, header: FrameHeader): string {
  const said = name === "slice" ? "" : ` /* ${name} */`;
  return `tg_read(p, ctx, ${LOCATIONS[header].start}, ${offset}, ${width}${said})`;
}

/** Bytes that one read takes from the frame, or 0: the number is a member of struct tg_packet. */
export function bytesRead(field: WireField): number {
  if (numberOf(field).read === null) return 0;
  return Math.ceil(((field.offset % 8) + field.width) / 8);
}

/** Whether the condition looks into the frame itself. */
export function readsFrame(expr: Expr): boolean {
  return numberTests(expr).some(({ field }) => numberOf(field).read !== null);
}

/** A condition that the program asks, such as a rule. */
export interface Asked {
  readonly match: Expr;
}

/** The functions of fields.h, without `tg_find_`, that must have run before the conditions. */
export function soughtHeaders(asked: readonly Asked[]): readonly SoughtHeader[] {
  const used = new Set<string>(
    asked.flatMap(({ match }) => numberTests(match).map(({ field }) => field.header)),
  );
  return Object.entries(SOUGHT)
    .filter(([header]) => used.has(header))
    .map(([, name]) => name);
}

/** The tests of numbers in an expression. */
export function numberTests(expr: Expr): readonly (NumberTest | BitsTest)[] {
  return testsOf(expr).filter((test) => test.kind === "number" || test.kind === "bits");
}
