import type { Filter } from "../../dsl/filter/ast.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type Field, PROTOCOLS } from "../ir/fields.js";
import { HEADERS, type Header, withOuter } from "../ir/headers.js";
import { printValue } from "../ir/value.js";
import { answerOf } from "./answers.js";
import { type Comparison, comparisons } from "./filters.js";
import { fieldOf, numberOf } from "./operands.js";
import { type Wanted, witnesses } from "./witness.js";

type Headers = ReadonlySet<Header>;
type Not = Extract<Filter, { kind: "not" }>;

/** Headers that a packet may well lack. Every packet has an IP header, and nearly every one a protocol. */
const OPTIONAL: Headers = new Set<Header>([
  ...(["tcp", "udp", "icmp", "icmp6", "gre"] as const),
  ...(["tcpPayload", "tcpMss", "greKey", "ip4Option", "vlan"] as const),
]);

/**
 * Warns of `not` around a comparison of a header that nothing else in the conjunction asks for: it also holds where the
 * header is absent, which is seldom meant.
 */
export function warnOfAbsence(rule: Wanted, diagnostics: Diagnostics): void {
  const witnessWithout = witnesses(rule);
  visit(rule.filter, new Set());

  function visit(part: Filter, known: Headers): void {
    switch (part.kind) {
      case "and": {
        const all = union([known, ...part.operands.map(requiredHeaders)]);
        for (const operand of part.operands) visit(operand, all);
        return;
      }
      case "or":
      case "xor":
        for (const operand of part.operands) visit(operand, known);
        return;
      case "not":
        visitNot(part, known);
        return;
      default:
        return;
    }
  }

  function visitNot(part: Not, known: Headers): void {
    const missing = negated(part.operand)
      .filter((comparison) => !asksForPresence(comparison))
      .flatMap((comparison) => absentHeaders(comparison, known));
    const [first] = missing;
    if (!first) return;
    const params = { header: namesOf(missing), witness: witnessWithout(withInner(missing)) };
    diagnostics.report("TG3004", part.span, params, { hint: hint(part.operand, first) });
  }
}

/** The comparisons that a `not` around the whole turns around; those that it meets as a second `not` stand as they are. */
function negated(filter: Filter, isTwice = false): readonly Comparison[] {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.operands.flatMap((operand) => negated(operand, isTwice));
    case "not":
      return negated(filter.operand, !isTwice);
    case "xor":
      return comparisons(filter);
    case "unknown":
      return [];
    default:
      return isTwice ? [] : [filter];
  }
}

/** Whether every value fulfils it: `not tcp.option.mss >= 0` is how to say that there is no such option. */
function asksForPresence(comparison: Comparison): boolean {
  const field = fieldOf(comparison.field);
  return field.type === "number" && answerOf(comparison, field) === "always";
}

/** The headers of which a comparison needs one, where the packet may well have none of them. */
function absentHeaders(comparison: Comparison, known: Headers): readonly Header[] {
  const places = placesOf(fieldOf(comparison.field));
  const optional = places.filter((header) => OPTIONAL.has(header));
  const certain = optional.length < places.length || optional.some((header) => known.has(header));
  return certain ? [] : optional;
}

/** The headers that packets may carry the field in; an address is in every packet. */
function placesOf(field: Field): readonly Header[] {
  if (field.type !== "number" && field.type !== "flag") return [];
  return field.readings.flatMap((reading): readonly Header[] =>
    "wire" in reading ? [reading.wire.header] : [reading.family === 4 ? "ip4" : "ip6"],
  );
}

/** Headers without which an expression cannot hold. */
function requiredHeaders(filter: Filter): Headers {
  switch (filter.kind) {
    case "and":
      return union(filter.operands.map(requiredHeaders));
    case "or":
      return common(filter.operands.map(requiredHeaders));
    case "xor":
    case "not":
    case "unknown":
      return new Set();
    default:
      return union([
        headersOfProtocol(filter),
        common(placesOf(fieldOf(filter.field)).map((header) => new Set(withOuter(header)))),
      ]);
  }
}

/** `ip.proto == "tcp"` asks for a TCP header in so many words. */
function headersOfProtocol(comparison: Comparison): Headers {
  const field = fieldOf(comparison.field);
  const isProtocol = comparison.kind === "compare" && comparison.op === "eq" && field.type === "number";
  if (!isProtocol || comparison.field.name !== "ip.proto") return new Set();
  const proto = Number(numberOf(field, comparison.value));
  return new Set([...OPTIONAL].filter((header) => HEADERS[header].proto === proto && isTransport(header)));
}

function isTransport(header: Header): boolean {
  const { within } = HEADERS[header];
  return within === null || within === "ip4" || within === "ip6";
}

/** A packet of no payload, such as a witness, still has a place for one. */
function withInner(headers: readonly Header[]): Headers {
  return new Set(headers.flatMap((header) => (header === "tcpPayload" ? [header, "tcp"] : [header])));
}

function union(sets: readonly Headers[]): Headers {
  return new Set(sets.flatMap((set) => [...set]));
}

function common([first, ...rest]: readonly Headers[]): Headers {
  return new Set([...(first ?? [])].filter((header) => rest.every((headers) => headers.has(header))));
}

function namesOf(headers: readonly Header[]): string {
  return [...new Set(headers.map((header) => HEADERS[header].name))].join(" or ");
}

function hint(operand: Filter, header: Header): string | undefined {
  if (operand.kind === "compare" && operand.op === "eq" && operand.field.args === null)
    return `write \`${operand.field.name} != ${printValue(operand.value)}\``;
  const protocol = Object.entries(PROTOCOLS).find(([, number]) => number === HEADERS[header].proto)?.[0];
  const fields = new Set(comparisons(operand).flatMap(({ field }) => placesOf(fieldOf(field))));
  return protocol && fields.size === 1 ? `put \`ip.proto == "${protocol}" and\` before it` : undefined;
}
