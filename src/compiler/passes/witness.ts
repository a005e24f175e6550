import type { Filter, Operand } from "../../dsl/filter/ast.js";
import { type Address, type Family, formatAddress, prefixContainsAddress } from "../ir/address.js";
import type { Expr } from "../ir/expr.js";
import type { AddressFieldName } from "../ir/fields.js";
import type { Header } from "../ir/headers.js";
import type { AddressList, OwnedPrefix } from "../ir/policy.js";
import { decode } from "../semantics/decode.js";
import { matches } from "../semantics/match.js";
import { parsePacket } from "../semantics/packet-text.js";
import { type Comparison, comparisons } from "./filters.js";
import type { Lists } from "./lists.js";
import { addressesOf } from "./operands.js";

/** A rule that a packet is wanted for, as it was written and as it is judged. */
export interface Wanted {
  readonly filter: Filter;
  readonly match: Expr;
  readonly prefixes: readonly OwnedPrefix[];
  readonly lists: Lists;
}

type Find = (without: ReadonlySet<Header>) => string;

/**
 * Finds packets to the customer that lack headers, as text: one that the rule matches if there is one among some dozen
 * that are made of what the rule names, else any. They are made when the first is asked for.
 */
export function witnesses(wanted: Wanted): Find {
  let tried: { readonly all: readonly Candidate[]; readonly matching: readonly Candidate[] } | undefined;
  return (without) => {
    if (!tried) {
      const all = candidates(wanted);
      tried = { all, matching: all.filter(({ text }) => isMatched(text, wanted)) };
    }
    const lacks = ({ header }: Candidate) => header === null || !without.has(header);
    return (tried.matching.find(lacks) ?? tried.all.find(lacks))?.text ?? "";
  };
}

interface Candidate {
  /** Its transport header, or null for a protocol that nothing asks about. */
  readonly header: Header | null;
  readonly text: string;
}

const SOURCES: readonly Address[] = [
  { family: 4, value: 0xc0000207n },
  { family: 6, value: 0x20010db8_00000000_00000000_00000007n },
];
/** Where the policy's prefixes could not be read. */
const SOME_DESTINATION: Address = { family: 4, value: 0xcb007100n };
const SOME_PORT = 5000n;

/** The plainest first. */
function candidates({ filter, prefixes, lists }: Wanted): readonly Candidate[] {
  const found = comparisons(filter);
  const named = (field: AddressFieldName) => found.flatMap((one) => firstAddress(one, field, lists));
  const owned = prefixes.map(({ prefix }) => ({ family: prefix.family, value: prefix.base }));
  const isOwned = (to: Address) => prefixes.some(({ prefix }) => prefixContainsAddress(prefix, to));
  const destinations = [
    ...owned.slice(0, 1),
    ...named("ip.dst").filter(isOwned).slice(0, 1),
    ...owned.slice(1),
  ];
  const sources = [...SOURCES, ...named("ip.src").slice(0, 1)];
  const ports = [SOME_PORT, ...found.flatMap(firstPort).slice(0, 1)];
  return (destinations.length === 0 ? [SOME_DESTINATION] : destinations)
    .slice(0, 4)
    .flatMap((to) =>
      sources.filter(({ family }) => family === to.family).flatMap((from) => packets(from, to, ports)),
    );
}

function packets(from: Address, to: Address, ports: readonly bigint[]): readonly Candidate[] {
  const [source, destination] = [formatAddress(from), formatAddress(to)];
  const isV4 = to.family === 4;
  const end = (address: string, port: bigint) => `${isV4 ? address : `[${address}]`}:${port}`;
  const between = (port: bigint) => `${end(source, SOME_PORT)} > ${end(destination, port)}`;
  return [
    ...ports.map((port): Candidate => ({ header: "udp", text: `udp ${between(port)}` })),
    ...ports.map((port): Candidate => ({ header: "tcp", text: `tcp ${between(port)} flags=S` })),
    isV4
      ? { header: "icmp", text: `icmp ${source} > ${destination}` }
      : { header: "icmp6", text: `icmp6 ${source} > ${destination}` },
    { header: null, text: `proto=132 ${source} > ${destination}` },
  ];
}

function firstAddress(comparison: Comparison, field: AddressFieldName, lists: Lists): readonly Address[] {
  if (comparison.field.name !== field) return [];
  if (comparison.kind === "inList") {
    const list = lists.get(comparison.list);
    return list ? [...lowest(list, 4), ...lowest(list, 6)] : [];
  }
  return operandsOf(comparison)
    .flatMap((operand) => addressesOf(operand) ?? [])
    .map(({ family, range }) => ({ family, value: range.low }));
}

function lowest(list: AddressList, family: Family): readonly Address[] {
  return list[family].slice(0, 1).map(({ low }) => ({ family, value: low }));
}

const DESTINATION_PORTS: readonly string[] = ["tcp.dstport", "udp.dstport", "port.dst"];

function firstPort(comparison: Comparison): readonly bigint[] {
  if (!DESTINATION_PORTS.includes(comparison.field.name)) return [];
  return operandsOf(comparison).flatMap((operand) => (operand.kind === "number" ? [operand.value] : []));
}

/** The first value that a comparison names. */
function operandsOf(comparison: Comparison): readonly Operand[] {
  if (comparison.kind === "compare") return [comparison.value];
  if (comparison.kind !== "in") return [];
  return comparison.items.slice(0, 1).map((item) => (item.kind === "range" ? item.low : item));
}

function isMatched(text: string, { match, lists }: Wanted): boolean {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") return false;
  const decoded = decode(parsed.bytes);
  return (
    decoded.kind === "packet" &&
    matches(
      match,
      decoded.packet,
      [...lists.values()].flatMap((list) => list ?? []),
    )
  );
}
