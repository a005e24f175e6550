import { assertNever, invariant } from "../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS, type Family } from "../../compiler/ir/address.js";
import type { AddressTest, BitsTest, ListTest, Needs, NumberTest, Test } from "../../compiler/ir/expr.js";
import type { AddressFieldName } from "../../compiler/ir/fields.js";
import { HEADERS, type Header } from "../../compiler/ir/headers.js";
import {
  type Intervals,
  intersection,
  intervals,
  sameIntervals,
  universe,
} from "../../compiler/ir/intervals.js";
import { bytesNeeded, type WireField, type WireName } from "../../compiler/ir/wire.js";
import { listSet } from "./names.js";
import { comparison, decimal, hex, hexadecimal, spellAddresses } from "./spelling.js";

/**
 * One IR test as one nft match. nft ends the rule when a load finds its bytes missing, and writes by itself the
 * guards `meta nfproto` for addresses and `meta l4proto` for transport headers: false where the field is absent.
 */
export interface Condition {
  /** The nft text; equal text is an equal condition. */
  readonly text: string;
  /** The match of the family that must stand before, where no address says it. */
  readonly guard: string | null;
  /** The only family whose packets it can hold for, or null. */
  readonly family: Family | null;
  /** The transport protocols that it can hold for. */
  readonly protocols: Intervals;
  /** Where it stands in a line: headers from the outside in. */
  readonly layer: "network" | "protocol" | "transport";
}

/** Which packets a chain judges: a later fragment has no transport header (docs/semantics.md, "Fields"). */
export type Part = "whole" | "laterFragment";

/** The condition that holds exactly where the test does, or false where it never does. */
export function conditionOf(test: Test, part: Part): Condition | false {
  if (part === "laterFragment" && isTransport(test.needs.header)) return false;
  switch (test.kind) {
    case "address":
      return addressCondition(test);
    case "list":
      return listCondition(test);
    case "number":
      return numberCondition(test);
    case "bits":
      return bitsCondition(test);
    default:
      return assertNever(test);
  }
}

/** No packet can meet both. nft refuses such a rule ("conflicting protocols specified") instead of never matching. */
export function contradict(conditions: readonly Condition[]): boolean {
  const families = new Set(conditions.map(({ family }) => family).filter((family) => family !== null));
  if (families.size > 1) return true;
  return commonProtocols(conditions).length === 0;
}

/** All conditions as one line. `and` commutes, so headers stand from the outside in, as in the packet. */
export function matchText(conditions: readonly Condition[]): string {
  const on = (layer: Condition["layer"]) => conditions.filter((condition) => condition.layer === layer);
  const network = on("network");
  const transport = on("transport");
  const guards = network.length > 0 ? [] : [...new Set(transport.map(({ guard }) => guard))];
  // A transport header says which protocol it is. nft 1.0.6 calls `meta l4proto { 6, 17 } udp dport 53` a conflict.
  const protocol = on("protocol").length > 0 && transport.length === 0 ? [protocolText(conditions)] : [];
  return [...guards, ...texts(network), ...protocol, ...texts(transport)]
    .filter((text) => text !== null)
    .join(" ");
}

function texts(conditions: readonly Condition[]): readonly string[] {
  return conditions.map(({ text }) => text);
}

/** One match for all that the line asks of the protocol. */
function protocolText(conditions: readonly Condition[]): string {
  return `${NUMBERS["ip.proto"]} ${comparison(commonProtocols(conditions), 8, decimal)}`;
}

function commonProtocols(conditions: readonly Condition[]): Intervals {
  return conditions.map(({ protocols }) => protocols).reduce(intersection, ANY_PROTOCOL);
}

const ANY_PROTOCOL = universe(8);

const NETWORK_HEADERS = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

const ADDRESSES = { "ip.src": "saddr", "ip.dst": "daddr" } as const satisfies Record<
  AddressFieldName,
  string
>;

/** nft's own words for the fields, so that `nft list ruleset` reads like the policy. */
const NUMBERS = {
  "ip.proto": "meta l4proto",
  "tcp.srcport": "tcp sport",
  "tcp.dstport": "tcp dport",
  "tcp.flags": "tcp flags",
  "tcp.window": "tcp window",
  "udp.srcport": "udp sport",
  "udp.dstport": "udp dport",
  "udp.len": "udp length",
  "icmp.type": "icmp type",
  "icmp.code": "icmp code",
  "icmp6.type": "icmpv6 type",
  "icmp6.code": "icmpv6 code",
} as const satisfies Partial<Record<WireName, string>>;

/** `ip saddr`: what names the field in nft, for `update @set { … }` too. */
export function addressText(field: AddressFieldName, family: Family): string {
  return `${NETWORK_HEADERS[family]} ${ADDRESSES[field]}`;
}

export function familyGuard(family: Family): string {
  return `meta nfproto ipv${family}`;
}

function addressCondition({ field, family, ranges }: AddressTest): Condition | false {
  if (ranges.length === 0) return false;
  const bits = ADDRESS_BITS[family];
  const text = sameIntervals(ranges, universe(bits))
    ? familyGuard(family)
    : `${addressText(field, family)} ${comparison(ranges, bits, spellAddresses(family))}`;
  return network(family, text);
}

function listCondition({ field, family, list }: ListTest): Condition {
  return network(family, `${addressText(field, family)} @${listSet(list, family)}`);
}

function network(family: Family, text: string): Condition {
  return { text, guard: null, family, protocols: ANY_PROTOCOL, layer: "network" };
}

function numberCondition({ field, needs, ranges }: NumberTest): Condition | false {
  if (ranges.length === 0) return false;
  if (field.name === "ip.proto") return protocolCondition(ranges);
  // `tcp flags 0x02` would ask for the bit, `tcp flags == 0x02` for the number (nft(8), bitmask types).
  const right =
    field.name === "tcp.flags"
      ? comparison(ranges, field.width, hexadecimal, "== ")
      : comparison(ranges, field.width, decimal);
  return transportCondition(field, needs, `${numberText(field)} ${right}`);
}

function bitsCondition({ field, needs, mask }: BitsTest): Condition | false {
  if (mask === 0n) return false;
  if (field.name === "ip.proto") return protocolCondition(protocolsWith(mask));
  return transportCondition(field, needs, `${numberText(field)} & ${hex(mask)} != 0`);
}

function protocolCondition(protocols: Intervals): Condition {
  const text = `${NUMBERS["ip.proto"]} ${comparison(protocols, 8, decimal)}`;
  return { text, guard: null, family: null, protocols, layer: "protocol" };
}

function protocolsWith(mask: bigint): Intervals {
  const all = Array.from({ length: 256 }, (_, number) => BigInt(number));
  return intervals(
    all.filter((number) => (number & mask) !== 0n).map((number) => ({ low: number, high: number })),
  );
}

function numberText({ name }: WireField): string {
  const text = Object.entries(NUMBERS).find(([known]) => known === name)?.[1];
  invariant(text !== undefined, `nft has a word for ${name}`);
  return text;
}

function transportCondition(field: WireField, needs: Needs, text: string): Condition {
  const { header, name } = field;
  // What nft checks is that the field's own bytes lie in the packet; the kernel cut off the padding before.
  invariant(needs.header === header && needs.bytes === bytesNeeded(field), `${name} needs its own bytes`);
  const family = FAMILY_OF[header];
  const number = BigInt(HEADERS[header].proto ?? 0);
  return {
    text,
    guard: family && familyGuard(family),
    family,
    protocols: [{ low: number, high: number }],
    layer: "transport",
  };
}

/** ICMP is a header of IPv4 only, ICMPv6 of IPv6 only; their numbers may stand in the other family's packets too. */
const FAMILY_OF = {
  ip4: 4,
  ip6: 6,
  proto: null,
  tcp: null,
  udp: null,
  icmp: 4,
  icmp6: 6,
  gre: null,
  ip4Option: 4,
  fragment6: 6,
  tcpPayload: null,
  tcpMss: null,
  greKey: null,
  vlan: null,
  ct: null,
} as const satisfies Record<Header, Family | null>;

function isTransport(header: Header): boolean {
  return HEADERS[header].proto !== null;
}
