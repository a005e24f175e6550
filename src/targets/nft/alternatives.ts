import { assertNever, impossible, invariant } from "../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS, type Family } from "../../compiler/ir/address.js";
import type { AddressTest, BitsTest, ListTest, NumberTest, Test } from "../../compiler/ir/expr.js";
import { CT_STATES } from "../../compiler/ir/fields.js";
import { HEADERS, type Header } from "../../compiler/ir/headers.js";
import { contains, type Intervals, intervals, sameIntervals, universe } from "../../compiler/ir/intervals.js";
import { bytesNeeded } from "../../compiler/ir/wire.js";
import { ANY_PROTOCOL, type Condition, type Part } from "./condition.js";
import { fragmentHeaderTexts } from "./fragment-header.js";
import { listSet } from "./names.js";
import { comparison, decimal, isSetOfRanges, spellAddresses } from "./spelling.js";
import {
  addressText,
  bitsText,
  familyGuard,
  type Load,
  numberText,
  PROTOCOL,
  portFor,
  rawLoad,
  type Start,
  wordFor,
} from "./words.js";

/**
 * The test in nft: it holds where all conditions of one of the lists do. Most tests are one condition; what lies behind a
 * header of varying length takes a list for each length. None: it never holds.
 */
export function alternativesOf(test: Test, part: Part): readonly (readonly Condition[])[] {
  if (part === "laterFragment" && HEADERS[test.needs.header].proto !== null) return [];
  switch (test.kind) {
    case "address":
      return test.ranges.length === 0 ? [] : [[addressCondition(test)]];
    case "list":
      return [[listCondition(test)]];
    case "number":
      return test.ranges.length === 0 ? [] : numberAlternatives(test);
    case "bits":
      return test.mask === 0n ? [] : numberAlternatives(test);
    default:
      return assertNever(test);
  }
}

function addressCondition({ field, family, ranges }: AddressTest): Condition {
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
  return { text, guarded: true, family, protocols: ANY_PROTOCOL, layer: "network", bare: null, one: null };
}

type NumericTest = NumberTest | BitsTest;

function numberAlternatives(test: NumericTest): readonly (readonly Condition[])[] {
  const { field, needs } = test;
  // What nft checks is that the field's own bytes lie in the packet; the kernel cut off the padding before.
  invariant(
    needs.header === field.header && needs.bytes === bytesNeeded(field),
    `${field.name} needs its own bytes`,
  );
  switch (field.header) {
    case "proto":
      return [[protocolCondition(valuesOf(test))]];
    case "ct":
      return connectionAlternatives(test);
    case "fragment6":
      return fragmentHeaderTexts(field, valuesOf(test)).map((texts) => texts.map((text) => network(6, text)));
    case "vlan":
      return impossible("the check refused what has no VLAN tag any more");
    default:
      return wordOrRaw(test);
  }
}

function protocolCondition(protocols: Intervals): Condition {
  const text = `${PROTOCOL} ${comparison(protocols, 8, decimal)}`;
  return { text, guarded: true, family: null, protocols, layer: "protocol", bare: null, one: null };
}

/** A packet has exactly one state, so bits and numbers are the same question. */
function connectionAlternatives(test: NumericTest): readonly (readonly Condition[])[] {
  const asked = valuesOf(test);
  const names = Object.entries(CT_STATES).flatMap(([name, bit]) =>
    contains(asked, BigInt(bit)) ? name : [],
  );
  if (names.length === 0) return [];
  const text = `ct state { ${names.join(", ")} }`;
  return [
    [
      {
        text,
        guarded: true,
        family: null,
        protocols: ANY_PROTOCOL,
        layer: "connection",
        bare: null,
        one: null,
      },
    ],
  ];
}

/** The values that the test holds for. */
function valuesOf(test: NumericTest): Intervals {
  if (test.kind === "number") return test.ranges;
  const all = Array.from({ length: 2 ** test.field.width }, (_, value) => BigInt(value));
  return intervals(
    all.filter((value) => (value & test.mask) !== 0n).map((value) => ({ low: value, high: value })),
  );
}

function wordOrRaw(test: NumericTest): readonly (readonly Condition[])[] {
  const { field } = test;
  const word = wordFor(field);
  if (word && says(word, test)) {
    // nft 1.0.6 writes no guard for `tcp option`; whether the kernel looks at the protocol depends on its version.
    const port = portFor(field);
    const bare = port ? textOf(test, port) : null;
    return [[condition(field.header, textOf(test, word), { guarded: field.header !== "tcpMss", bare })]];
  }
  return startsOf(field.header).map(({ start, asks }) => [
    ...asks,
    condition(field.header, textOf(test, rawLoad(start, field)), { guarded: false }),
  ]);
}

/** Whether nft's word can be asked so. */
function says(word: Load, test: NumericTest): boolean {
  // nft would shift a part of a byte before it asks for bits of it: see rawLoad.
  if (test.kind === "bits") return word.width % 8 === 0;
  // `nft list` of 1.0.6 ends with a segmentation fault at a set with ranges of TCP flags.
  return test.field.name !== "tcp.flags" || !isSetOfRanges(test.ranges, test.field.width);
}

function textOf(test: NumericTest, load: Load): string {
  return test.kind === "number"
    ? numberText(load, test.field, test.ranges)
    : bitsText(load, test.field, test.mask);
}

/** A condition on a header: true only of packets that can have it. */
function condition(
  header: Header,
  text: string,
  { guarded, bare = null, one = null }: Pick<Condition, "guarded"> & Partial<Pick<Condition, "bare" | "one">>,
): Condition {
  const { proto } = HEADERS[header];
  const family = familyOf(header);
  if (proto === null) return { text, guarded, family, protocols: ANY_PROTOCOL, layer: "network", bare, one };
  const number = BigInt(proto);
  return { text, guarded, family, protocols: [{ low: number, high: number }], layer: "transport", bare, one };
}

/** ICMP is a header of IPv4 only, ICMPv6 of IPv6 only; their numbers may stand in the other family's packets too. */
function familyOf(header: Header): Family | null {
  if (header === "ip4" || header === "ip6") return header === "ip4" ? 4 : 6;
  const { within } = HEADERS[header];
  return within === null ? null : familyOf(within);
}

interface ConditionalStart {
  readonly start: Start;
  /** What must hold for the header to start there. */
  readonly asks: readonly Condition[];
}

/** The places where a header may start; a packet has it at one of them at most. */
function startsOf(header: Header): readonly ConditionalStart[] {
  switch (header) {
    case "ip4":
    case "ip6":
      return [{ start: { base: "nh", offset: 0 }, asks: [] }];
    case "ip4Option":
      return [
        {
          start: { base: "nh", offset: 160 },
          asks: [condition("ip4", "ip hdrlength 6-15", { guarded: true })],
        },
      ];
    case "tcp":
    case "udp":
    case "icmp":
    case "icmp6":
    case "gre":
      return [{ start: { base: "th", offset: 0 }, asks: [] }];
    case "tcpPayload":
      return TCP_PAYLOADS;
    case "greKey":
      return GRE_KEYS;
    default:
      return impossible(`nft has a word for ${header}`);
  }
}

/** For each data offset in words of 32 bits. `@ih` would be one line, but Linux 5.15 does not know it. */
const TCP_PAYLOADS: readonly ConditionalStart[] = Array.from({ length: 11 }, (_, index) => {
  const words = 5 + index;
  const one = { of: "tcp doff", value: words };
  return {
    start: { base: "th", offset: 32 * words },
    asks: [condition("tcp", `tcp doff ${words}`, { guarded: true, one })],
  };
});

/** Version 0 with a key; a checksum or routing bit puts 32 bits before it (RFC 1701, RFC 2890). */
const GRE_KEYS: readonly ConditionalStart[] = [
  { offset: 32, flags: "== 0x2000" },
  { offset: 64, flags: "{ 0x6000, 0xa000, 0xe000 }" },
].map(({ offset, flags }) => {
  const one = { of: "gre flags", value: offset };
  return {
    start: { base: "th", offset },
    asks: [condition("gre", `@th,0,16 & 0xe007 ${flags}`, { guarded: false, one })],
  };
});
