import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Family } from "../../compiler/ir/address.js";
import type { AddressFieldName } from "../../compiler/ir/fields.js";
import type { Intervals } from "../../compiler/ir/intervals.js";
import type { Place, WireField, WireName } from "../../compiler/ir/wire.js";
import { boundText, comparison, decimal, hex, hexadecimal, leavesOutOne, type Spell } from "./spelling.js";

/** How nft names what a packet carries: its own words where they mean the same, else `@nh,OFFSET,WIDTH`. */

const NETWORK_HEADERS = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

const ADDRESSES = { "ip.src": "saddr", "ip.dst": "daddr" } as const satisfies Record<
  AddressFieldName,
  string
>;

/** `ip saddr`: what names the field in nft, for `update @set { … }` too. */
export function addressText(field: AddressFieldName, family: Family): string {
  return `${NETWORK_HEADERS[family]} ${ADDRESSES[field]}`;
}

export function familyGuard(family: Family): string {
  return `meta nfproto ipv${family}`;
}

export const PROTOCOL = "meta l4proto";

/** The 16 bits that IPv4's fragment fields are parts of. */
const FRAGMENT_BITS = { text: "ip frag-off", offset: 48, width: 16 } as const;

/** nft's word for a field; one that reads more than the field says which bits. null: it has none. */
const WORDS = {
  "ip4.hdr_words": "ip hdrlength",
  "ip4.dscp": "ip dscp",
  "ip4.ecn": "ip ecn",
  "ip4.len": "ip length",
  "ip4.id": "ip id",
  "ip4.frag.more": FRAGMENT_BITS,
  "ip4.frag": FRAGMENT_BITS,
  "ip4.frag.offset": FRAGMENT_BITS,
  "ip4.ttl": "ip ttl",
  "ip4.option.type": null,
  "ip6.dscp": "ip6 dscp",
  "ip6.ecn": "ip6 ecn",
  "ip6.flow": "ip6 flowlabel",
  "ip6.payload_len": "ip6 length",
  // nft takes `ip6 nexthdr 60` for the transport protocol and calls `udp dport` behind `ip6 nexthdr 6` a conflict.
  "ip6.next_header": null,
  "ip6.hop_limit": "ip6 hoplimit",
  // fragment-header.ts puts these three together.
  "fragment6.field": null,
  "fragment6.offset": "frag frag-off",
  "fragment6.more": "frag more-fragments",
  "ip.proto": PROTOCOL,
  "tcp.srcport": "tcp sport",
  "tcp.dstport": "tcp dport",
  "tcp.flags": "tcp flags",
  "tcp.window": "tcp window",
  "tcp.option.mss": "tcp option maxseg size",
  "udp.srcport": "udp sport",
  "udp.dstport": "udp dport",
  "udp.len": "udp length",
  "icmp.type": "icmp type",
  "icmp.code": "icmp code",
  "icmp6.type": "icmpv6 type",
  "icmp6.code": "icmpv6 code",
  // nft has words for GRE from 1.0.7 on only.
  "gre.proto": null,
  "gre.key": null,
  "eth.vlan": null,
  "ct.state": "ct state",
} as const satisfies Record<WireName, string | Load | null>;

/** What stands left of a comparison, and the bits that it reads, from where the field's offset counts. */
export interface Load extends Pick<Place, "offset" | "width"> {
  readonly text: string;
}

/** nft's own word, or undefined. */
export function wordFor({ name, offset, width }: WireField): Load | undefined {
  const word = name === "slice" ? null : WORDS[name];
  return typeof word === "string" ? { text: word, offset, width } : (word ?? undefined);
}

const PORTS: Readonly<Record<string, string>> = {
  "tcp.srcport": "th sport",
  "tcp.dstport": "th dport",
  "udp.srcport": "th sport",
  "udp.dstport": "th dport",
};

/** nft's word for a port of whatever protocol the packet has, without a guard; undefined: the field is no port. */
export function portFor({ name, offset, width }: WireField): Load | undefined {
  const text = PORTS[name];
  return text === undefined ? undefined : { text, offset, width };
}

/** Where a header starts: bits from the network or the transport header. */
export interface Start {
  readonly base: "nh" | "th";
  readonly offset: number;
}

/**
 * The whole bytes that the field lies in. Nothing but whole bytes is ever asked for: for others nft writes shifts, which the
 * kernel does in the host's byte order (nft_bitwise_eval_rshift).
 */
export function rawLoad({ base, offset }: Start, field: WireField): Load {
  const first = Math.floor(field.offset / 8) * 8;
  const width = Math.ceil((field.offset + field.width) / 8) * 8 - first;
  invariant(offset + first <= LAST_OFFSET, `nft reaches ${field.header} from ${base}`);
  return { text: `@${base},${offset + first},${width}`, offset: first, width };
}

/** `struct nft_payload` had 8 bits for the offset in bytes, up to Linux 6.13. */
const LAST_OFFSET = 8 * 255;

/** The match for "the field lies in `ranges`", which are not empty. */
export function numberText(load: Load, field: WireField, ranges: Intervals): string {
  const shift = shiftOf(load, field);
  const mask = maskOf(field) << shift;
  if (mask === (1n << BigInt(load.width)) - 1n) {
    const bound = isWhole(load) ? boundText(ranges, field.width) : null;
    if (bound !== null) return `${load.text} ${bound}`;
    // `tcp flags 0x02` would ask for the bit, `tcp flags == 0x02` for the number (nft(8), bitmask types).
    const isFlags = field.name === "tcp.flags";
    const right = isFlags
      ? comparison(ranges, field.width, hexadecimal, "== ")
      : comparison(ranges, field.width, decimal);
    return isMerged(load, field) && leavesOutOne(ranges, field.width)
      ? `${load.text} & ${hex(mask)} ${right}`
      : `${load.text} ${right}`;
  }
  const shifted: Spell = ({ low, high }) => hexadecimal({ low: low << shift, high: high << shift });
  return `${load.text} & ${hex(mask)} ${comparison(ranges, field.width, shifted, "== ")}`;
}

/**
 * nft 1.0.6 makes one load of two neighbours that are unequal to a value each, and then asks that not both be equal
 * (payload_do_merge); behind a mask each stands for itself. What lies across bytes has a mask of nft's own, which another
 * would undo.
 */
function isMerged(load: Load, { header }: WireField): boolean {
  return header !== "ct" && header !== "proto" && isWhole(load);
}

/** It reads whole bytes, as they are in the packet. */
function isWhole({ offset, width }: Load): boolean {
  return offset % 8 === 0 && width % 8 === 0;
}

/** The match for "some bit of `mask` is set". */
export function bitsText(load: Load, field: WireField, mask: bigint): string {
  return `${load.text} & ${hex((mask & maskOf(field)) << shiftOf(load, field))} != 0`;
}

function maskOf({ width }: WireField): bigint {
  return (1n << BigInt(width)) - 1n;
}

function shiftOf(load: Load, field: WireField): bigint {
  return BigInt(load.offset + load.width - field.offset - field.width);
}
