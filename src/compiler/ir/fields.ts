import type { Family } from "./address.js";
import type { Header } from "./headers.js";
import { complement, type Intervals, intervals } from "./intervals.js";
import { slice, WIRE_FIELDS, type WireField, type WireName } from "./wire.js";

/**
 * The one table of match fields, as authors write them. Parser, type checker, editor docs and the field reference
 * derive from it; through its readings also the reference semantics and the targets.
 */

interface Documented {
  /** One line for editors and docs/fields.md. */
  readonly doc: string;
}

/** An address of either family; which header it needs follows from the family it is compared with. */
export interface AddressField extends Documented {
  readonly type: "address";
  /** Offset in bytes from the start of the IPv4 or IPv6 header (RFC 791, RFC 8200). */
  readonly offset: { readonly 4: number; readonly 6: number };
}

/** One way in which packets carry a number: value = bits × scale + add. */
export interface WireReading {
  readonly kind: "wire";
  readonly wire: WireField;
  readonly scale: number;
  readonly add: number;
}

/** Every packet of the family has this value. */
export interface ConstantReading {
  readonly kind: "constant";
  readonly family: Family;
  readonly value: number;
}

export type Reading = WireReading | ConstantReading;

/** An unsigned number. No packet has two of its readings, so a comparison is their disjunction. */
export interface NumberField extends Documented {
  readonly type: "number";
  readonly readings: readonly Reading[];
  /** Smallest and largest value that a packet can have. */
  readonly min: number;
  readonly max: number;
  /** The only values, where not all from `min` to `max` are ones. */
  readonly values?: readonly number[];
  /** Names that stand for numbers, such as "tcp" for 6. */
  readonly names?: Readonly<Record<string, number>>;
}

/** What is true of a number in the packet: some bit of `mask` is set, or it lies in `ranges`. */
export type FlagReading =
  | { readonly wire: WireField; readonly mask: number }
  | { readonly wire: WireField; readonly ranges: Intervals };

/** A condition by itself. No packet has two of its readings. */
export interface FlagField extends Documented {
  readonly type: "flag";
  readonly readings: readonly FlagReading[];
}

/** What the operator's tables (src/compiler/ir/geography.ts) say of an address; tests of it become sets of prefixes. */
export interface PlaceField extends Documented {
  readonly type: "country" | "asnum";
  readonly of: AddressFieldName;
}

export type Field = AddressField | NumberField | FlagField | PlaceField;

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

/** The bits of nf_tables' `ct state`; a packet has exactly one (enum nft_ct_keys and nf_conntrack_common.h). */
export const CT_STATES = {
  invalid: 1,
  established: 2,
  related: 4,
  new: 8,
  untracked: 64,
} as const satisfies Record<string, number>;

/** IANA's registry of IPv6 extension header types (RFC 7045). */
const EXTENSION_HEADERS = [0, 43, 44, 50, 51, 60, 135, 139, 140, 253, 254];

const ADDRESSES = {
  "ip.src": { type: "address", offset: { 4: 12, 6: 8 }, doc: "source address" },
  "ip.dst": { type: "address", offset: { 4: 16, 6: 24 }, doc: "destination address" },
} as const satisfies Record<string, AddressField>;

function read(name: WireName, { scale = 1, add = 0 } = {}): WireReading {
  return { kind: "wire", wire: WIRE_FIELDS[name], scale, add };
}

/** A number that is read as it stands, at one of the places. */
function plain(doc: string, ...names: readonly [WireName, ...WireName[]]): NumberField {
  return {
    type: "number",
    readings: names.map((name) => read(name)),
    min: 0,
    max: 2 ** WIRE_FIELDS[names[0]].width - 1,
    doc,
  };
}

const NUMBERS = {
  "ip.version": {
    type: "number",
    readings: [
      { kind: "constant", family: 4, value: 4 },
      { kind: "constant", family: 6, value: 6 },
    ],
    min: 4,
    max: 6,
    doc: "4 or 6",
  },
  "ip.proto": {
    ...plain("transport protocol, behind IPv6 extension headers too", "ip.proto"),
    names: PROTOCOLS,
  },
  "ip.len": {
    type: "number",
    readings: [read("ip4.len"), read("ip6.payload_len", { add: 40 })],
    min: 20,
    max: 65_575,
    doc: "length of the packet in bytes, IP header included",
  },
  "ip.hdr_len": {
    type: "number",
    readings: [read("ip4.hdr_words", { scale: 4 }), { kind: "constant", family: 6, value: 40 }],
    min: 20,
    max: 60,
    doc: "length of the IP header in bytes, IPv4 options included; 40 for IPv6",
  },
  "ip.ttl": plain("time to live, or IPv6's hop limit", "ip4.ttl", "ip6.hop_limit"),
  "ip.dscp": plain("differentiated services code point, 0 to 63 (RFC 2474)", "ip4.dscp", "ip6.dscp"),
  "ip.ecn": plain("explicit congestion notification, 0 to 3 (RFC 3168)", "ip4.ecn", "ip6.ecn"),
  "ip.id": plain("IPv4 identification", "ip4.id"),
  "ip.opt.type": plain("type of the first IPv4 option", "ip4.option.type"),
  "ip.frag.offset": {
    type: "number",
    readings: [read("ip4.frag.offset", { scale: 8 }), read("fragment6.offset", { scale: 8 })],
    min: 0,
    max: 65_528,
    doc: "fragment offset in bytes; absent from IPv6 packets without a fragment header",
  },
  "ip6.flow": plain("IPv6 flow label", "ip6.flow"),
  "tcp.srcport": plain("TCP source port", "tcp.srcport"),
  "tcp.dstport": plain("TCP destination port", "tcp.dstport"),
  "tcp.flags": plain("all eight TCP flags as one number", "tcp.flags"),
  "tcp.window": plain("TCP window, unscaled", "tcp.window"),
  "tcp.option.mss": plain("value of the first TCP maximum segment size option", "tcp.option.mss"),
  "udp.srcport": plain("UDP source port", "udp.srcport"),
  "udp.dstport": plain("UDP destination port", "udp.dstport"),
  "udp.len": plain("UDP length field, header included", "udp.len"),
  "port.src": plain("TCP or UDP source port", "tcp.srcport", "udp.srcport"),
  "port.dst": plain("TCP or UDP destination port", "tcp.dstport", "udp.dstport"),
  "icmp.type": plain("ICMP type", "icmp.type"),
  "icmp.code": plain("ICMP code", "icmp.code"),
  "icmp6.type": plain("ICMPv6 type", "icmp6.type"),
  "icmp6.code": plain("ICMPv6 code", "icmp6.code"),
  "gre.proto": plain("EtherType of what GRE carries", "gre.proto"),
  "gre.key": plain("GRE key (RFC 2890)", "gre.key"),
  "eth.vlan": plain("VLAN ID of the outermost tag (mitigate only)", "eth.vlan"),
  "ct.state": {
    ...plain("state of the connection (stateful firewall only)", "ct.state"),
    values: Object.values(CT_STATES),
    names: CT_STATES,
  },
} as const satisfies Record<string, NumberField>;

function tcpFlag(mask: number, doc: string): FlagField {
  return { type: "flag", readings: [{ wire: WIRE_FIELDS["tcp.flags"], mask }], doc };
}

function among(name: WireName, ...values: readonly number[]): FlagReading {
  const points = values.map(BigInt).map((value) => ({ low: value, high: value }));
  return { wire: WIRE_FIELDS[name], ranges: intervals(points) };
}

function notAmong(name: WireName, ...values: readonly number[]): FlagReading {
  const wire = WIRE_FIELDS[name];
  const points = values.map(BigInt).map((value) => ({ low: value, high: value }));
  return { wire, ranges: complement(intervals(points), wire.width) };
}

/** IPv4's "more fragments" bit above an offset of 0. */
const FIRST_FRAGMENT_4 = 0x2000;
/** In IPv6 two reserved bits, which are ignored, stand between the offset and the "more fragments" bit. */
const WHOLE_6 = [0, 2, 4, 6];
const FIRST_FRAGMENT_6 = [1, 3, 5, 7];

const FLAGS = {
  "ip.frag": {
    type: "flag",
    readings: [notAmong("ip4.frag", 0), notAmong("fragment6.field", ...WHOLE_6)],
    doc: "the packet is a fragment, the first one or a later one",
  },
  "ip.frag.first": {
    type: "flag",
    readings: [among("ip4.frag", FIRST_FRAGMENT_4), among("fragment6.field", ...FIRST_FRAGMENT_6)],
    doc: "the packet is the first fragment of several",
  },
  "ip.frag.more": {
    type: "flag",
    readings: [among("ip4.frag.more", 1), among("fragment6.more", 1)],
    doc: "more fragments follow",
  },
  "ip6.ext": {
    type: "flag",
    readings: [among("ip6.next_header", ...EXTENSION_HEADERS)],
    doc: "an IPv6 extension header is present",
  },
  "tcp.flags.fin": tcpFlag(0x01, "FIN is set"),
  "tcp.flags.syn": tcpFlag(0x02, "SYN is set (also in SYN-ACK)"),
  "tcp.flags.reset": tcpFlag(0x04, "RST is set"),
  "tcp.flags.push": tcpFlag(0x08, "PSH is set"),
  "tcp.flags.ack": tcpFlag(0x10, "ACK is set"),
  "tcp.flags.urg": tcpFlag(0x20, "URG is set"),
  "tcp.flags.ecn": tcpFlag(0x40, "ECE is set (RFC 3168)"),
  "tcp.flags.cwr": tcpFlag(0x80, "CWR is set (RFC 3168)"),
} as const satisfies Record<string, FlagField>;

const PLACES = {
  "ip.src.country": {
    type: "country",
    of: "ip.src",
    doc: 'country of the source, as "DE" (operator\'s tables)',
  },
  "ip.dst.country": {
    type: "country",
    of: "ip.dst",
    doc: 'country of the destination, as "DE" (operator\'s tables)',
  },
  "ip.src.asnum": { type: "asnum", of: "ip.src", doc: "AS number of the source (operator's tables)" },
  "ip.dst.asnum": { type: "asnum", of: "ip.dst", doc: "AS number of the destination (operator's tables)" },
} as const satisfies Record<string, PlaceField>;

export type AddressFieldName = keyof typeof ADDRESSES;
export type NumberFieldName = keyof typeof NUMBERS;
export type FlagFieldName = keyof typeof FLAGS;
export type FieldName = AddressFieldName | NumberFieldName | FlagFieldName | keyof typeof PLACES;

export const FIELDS: Readonly<Record<FieldName, Field>> = { ...ADDRESSES, ...NUMBERS, ...FLAGS, ...PLACES };
export const ADDRESS_FIELDS: Readonly<Record<AddressFieldName, AddressField>> = ADDRESSES;
export const NUMBER_FIELDS: Readonly<Record<NumberFieldName, NumberField>> = NUMBERS;
export const FLAG_FIELDS: Readonly<Record<FlagFieldName, FlagField>> = FLAGS;

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

/** Bytes behind the transport header: their first place for each transport that has one. */
const PAYLOADS: readonly (readonly [header: Header, offset: number])[] = [
  ["tcpPayload", 0],
  ["udp", 64],
  ["icmp", 64],
  ["icmp6", 64],
];

/** nft loads payload from at most byte 255 of a header (`struct nft_payload`), which the Rules language says as 2,040 bits. */
export const MAX_SLICE_OFFSET = 2040;
export const MAX_SLICE_WIDTH = 32;
/** The last byte of payload that a number can start at: a TCP header of 60 bytes may stand before it. */
export const MAX_PAYLOAD_INDEX = (MAX_SLICE_OFFSET - 8 * 60) / 8;

/** `payload.u8(n)` and its like: `width` bits, `index` bytes behind the transport header. */
export function payloadField(index: number, width: 8 | 16 | 32): NumberField {
  return sliceField(
    PAYLOADS.map(([header, offset]) => slice(header, offset + 8 * index, width)),
    width,
    `${width / 8} bytes of payload, ${index} bytes behind the transport header`,
  );
}

export const SLICE_PROTOCOLS = {
  ip: ["ip4", "ip6"],
  tcp: ["tcp"],
  udp: ["udp"],
  icmp: ["icmp"],
} as const satisfies Readonly<Record<string, readonly Header[]>>;

/** `bit_slice(protocol, start, end)`: the bits from `start` to before `end` of the protocol's header and what follows it. */
export function bitSliceField(
  protocol: keyof typeof SLICE_PROTOCOLS,
  start: number,
  end: number,
): NumberField {
  const places = SLICE_PROTOCOLS[protocol].map((header) => slice(header, start, end - start));
  return sliceField(
    places,
    end - start,
    `bits ${start} to ${end - 1} from the start of the ${protocol} header`,
  );
}

function sliceField(places: readonly WireField[], width: number, doc: string): NumberField {
  const readings = places.map((wire) => ({ kind: "wire", wire, scale: 1, add: 0 }) as const);
  return { type: "number", readings, min: 0, max: 2 ** width - 1, doc };
}
