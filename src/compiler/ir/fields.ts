/**
 * The one table of match fields. Parser, type checker, reference, targets and docs derive from it.
 */

/** What must be in the packet before a field can be read. */
export type Header = "ip4" | "ip6" | "proto" | "tcp" | "udp" | "icmp" | "icmp6";

/** How each header is recognised; what `hasHeader` means in the reference and in every target. */
export const HEADERS = {
  ip4: { name: "IPv4", proto: null },
  ip6: { name: "IPv6", proto: null },
  /** The transport protocol is known: always, but on a later IPv6 fragment of an unfinished header chain. */
  proto: { name: "a transport protocol", proto: null },
  tcp: { name: "TCP", proto: 6 },
  udp: { name: "UDP", proto: 17 },
  /** ICMP is protocol 1 in IPv4 only, ICMPv6 protocol 58 in IPv6 only (RFC 792, RFC 4443). */
  icmp: { name: "ICMP", proto: 1 },
  icmp6: { name: "ICMPv6", proto: 58 },
} as const satisfies Record<Header, { name: string; proto: number | null }>;

interface Documented {
  readonly doc: string;
}

/** An address of either family; which header it needs follows from the family it is compared with. */
export interface AddressField extends Documented {
  readonly type: "address";
  /** Offset in bytes from the start of the IPv4 or IPv6 header (RFC 791, RFC 8200). */
  readonly offset: { readonly 4: number; readonly 6: number };
}

/** An unsigned number, big-endian in the packet. */
export interface NumberField extends Documented {
  readonly type: "number";
  readonly header: Header;
  /** Offset and width in bytes from the start of `header`. */
  readonly offset: number;
  readonly width: number;
  /** Names that stand for numbers, such as "tcp" for 6. */
  readonly names?: Readonly<Record<string, number>>;
}

/** One bit of a number field, used as a condition by itself. */
export interface FlagField extends Documented {
  readonly type: "flag";
  readonly of: keyof typeof NUMBERS;
  readonly mask: number;
}

export type Field = AddressField | NumberField | FlagField;

/** IANA protocol numbers by the names that network engineers use. */
export const PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmp6: 58,
  ospf: 89,
  sctp: 132,
  udplite: 136,
} as const satisfies Record<string, number>;

const ADDRESSES = {
  "ip.src": { type: "address", offset: { 4: 12, 6: 8 }, doc: "source address" },
  "ip.dst": { type: "address", offset: { 4: 16, 6: 24 }, doc: "destination address" },
} as const satisfies Record<string, AddressField>;

const NUMBERS = {
  /** For IPv6 the protocol behind the extension headers, not the first `next header`. */
  "ip.proto": {
    type: "number",
    header: "proto",
    offset: 0,
    width: 1,
    names: PROTOCOLS,
    doc: "transport protocol",
  },
  "tcp.srcport": { type: "number", header: "tcp", offset: 0, width: 2, doc: "TCP source port" },
  "tcp.dstport": { type: "number", header: "tcp", offset: 2, width: 2, doc: "TCP destination port" },
  "tcp.flags": {
    type: "number",
    header: "tcp",
    offset: 13,
    width: 1,
    doc: "all eight TCP flags as one number",
  },
  "tcp.window": { type: "number", header: "tcp", offset: 14, width: 2, doc: "TCP window, unscaled" },
  "udp.srcport": { type: "number", header: "udp", offset: 0, width: 2, doc: "UDP source port" },
  "udp.dstport": { type: "number", header: "udp", offset: 2, width: 2, doc: "UDP destination port" },
  "udp.len": { type: "number", header: "udp", offset: 4, width: 2, doc: "UDP length field, header included" },
  "icmp.type": { type: "number", header: "icmp", offset: 0, width: 1, doc: "ICMP type" },
  "icmp.code": { type: "number", header: "icmp", offset: 1, width: 1, doc: "ICMP code" },
  "icmp6.type": { type: "number", header: "icmp6", offset: 0, width: 1, doc: "ICMPv6 type" },
  "icmp6.code": { type: "number", header: "icmp6", offset: 1, width: 1, doc: "ICMPv6 code" },
} as const satisfies Record<string, NumberField>;

const FLAGS = {
  "tcp.flags.fin": { type: "flag", of: "tcp.flags", mask: 0x01, doc: "FIN is set" },
  "tcp.flags.syn": { type: "flag", of: "tcp.flags", mask: 0x02, doc: "SYN is set (also in SYN-ACK)" },
  "tcp.flags.reset": { type: "flag", of: "tcp.flags", mask: 0x04, doc: "RST is set" },
  "tcp.flags.push": { type: "flag", of: "tcp.flags", mask: 0x08, doc: "PSH is set" },
  "tcp.flags.ack": { type: "flag", of: "tcp.flags", mask: 0x10, doc: "ACK is set" },
  "tcp.flags.urg": { type: "flag", of: "tcp.flags", mask: 0x20, doc: "URG is set" },
  "tcp.flags.ecn": { type: "flag", of: "tcp.flags", mask: 0x40, doc: "ECE is set (RFC 3168)" },
  "tcp.flags.cwr": { type: "flag", of: "tcp.flags", mask: 0x80, doc: "CWR is set (RFC 3168)" },
} as const satisfies Record<string, FlagField>;

export type AddressFieldName = keyof typeof ADDRESSES;
export type NumberFieldName = keyof typeof NUMBERS;
export type FlagFieldName = keyof typeof FLAGS;
export type FieldName = AddressFieldName | NumberFieldName | FlagFieldName;
/** Fields that have bytes of their own; flags are tests of a bit of one of these. */
export type WireFieldName = AddressFieldName | NumberFieldName;

export const FIELDS: Readonly<Record<FieldName, Field>> = { ...ADDRESSES, ...NUMBERS, ...FLAGS };
export const ADDRESS_FIELDS: Readonly<Record<AddressFieldName, AddressField>> = ADDRESSES;
export const NUMBER_FIELDS: Readonly<Record<NumberFieldName, NumberField>> = NUMBERS;
export const FLAG_FIELDS: Readonly<Record<FlagFieldName, FlagField>> = FLAGS;

/** Fields of the Rules language that Tidegate knows by name but cannot match yet: a clear error, not "unknown". */
export const PLANNED_FIELDS: ReadonlySet<string> = new Set([
  "ip.len",
  "ip.hdr_len",
  "ip.ttl",
  "ip.opt.type",
  "ip.version",
  "ip.dscp",
  "ip.ecn",
  "ip.id",
  "ip.frag",
  "ip.frag.first",
  "ip.frag.offset",
  "ip.frag.more",
  "ip6.flow",
  "ip6.ext",
  "ip.src.country",
  "ip.dst.country",
  "ip.src.asnum",
  "ip.dst.asnum",
  "tcp.option.mss",
  "gre.proto",
  "gre.key",
  "eth.vlan",
  "port.src",
  "port.dst",
  "ct.state",
]);

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

export function isAddressField(name: WireFieldName): name is AddressFieldName {
  return Object.hasOwn(ADDRESSES, name);
}
