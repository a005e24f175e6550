import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { assertNever } from "../diagnostics/invariant.js";
import { formatAddress } from "../ir/address.js";
import type { Expr, Test } from "../ir/expr.js";
import { PROTOCOLS } from "../ir/fields.js";
import { HEADERS, type Header } from "../ir/headers.js";
import type { OwnedPrefix } from "../ir/policy.js";
import { wireText } from "../ir/wire.js";

type Headers = ReadonlySet<Header>;
type Not = Extract<Expr, { kind: "not" }>;

/** Headers that a packet may well lack. Every packet has an IP header, and nearly every one a protocol. */
const OPTIONAL: Headers = new Set<Header>(["tcp", "udp", "icmp", "icmp6"]);

/**
 * Warns of `not` around a test of a header that nothing else in the conjunction asks for: it also holds where the
 * header is absent, which is seldom meant. Reads the expression as it was written, before it is normalised.
 */
export function warnOfAbsence(expr: Expr, prefixes: readonly OwnedPrefix[], diagnostics: Diagnostics): void {
  visit(expr, new Set());

  function visit(part: Expr, known: Headers): void {
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
    const test = tests(part.operand).find(
      ({ needs }) => OPTIONAL.has(needs.header) && !known.has(needs.header),
    );
    if (!test) return;
    const params = {
      header: HEADERS[test.needs.header].name,
      witness: witnessWithout(test.needs.header, prefixes),
    };
    diagnostics.report("TG3004", part.span, params, { hint: hint(part.operand, test) });
  }
}

/** Headers without which an expression cannot hold. */
function requiredHeaders(expr: Expr): Headers {
  switch (expr.kind) {
    case "and":
      return union(expr.operands.map(requiredHeaders));
    case "or": {
      const [first, ...rest] = expr.operands.map(requiredHeaders);
      return new Set([...(first ?? [])].filter((header) => rest.every((headers) => headers.has(header))));
    }
    case "xor":
    case "not":
    case "const":
      return new Set();
    case "number":
      return new Set([expr.needs.header, ...headersOfProtocols(expr)]);
    case "address":
    case "list":
    case "bits":
      return new Set([expr.needs.header]);
    default:
      return assertNever(expr);
  }
}

/** `ip.proto == "tcp"` asks for a TCP header in so many words. */
function headersOfProtocols({ field, ranges }: Extract<Test, { kind: "number" }>): readonly Header[] {
  const [only, ...others] = ranges;
  if (field.name !== "ip.proto" || !only || others.length > 0 || only.low !== only.high) return [];
  return [...OPTIONAL].filter((header) => BigInt(HEADERS[header].proto ?? -1) === only.low);
}

function tests(expr: Expr): readonly Test[] {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return expr.operands.flatMap(tests);
    case "not":
      return tests(expr.operand);
    case "const":
      return [];
    default:
      return [expr];
  }
}

function union(sets: readonly Headers[]): Headers {
  return new Set(sets.flatMap((set) => [...set]));
}

function hint(operand: Expr, { needs }: Test): string {
  if (operand.kind === "number" && operand.ranges.length === 1) {
    const [range] = operand.ranges;
    if (range && range.low === range.high) return `write \`${wireText(operand.field)} != ${range.low}\``;
  }
  const protocol = Object.entries(PROTOCOLS).find(
    ([, number]) => number === HEADERS[needs.header].proto,
  )?.[0];
  return `put \`ip.proto == "${protocol}" and\` before it`;
}

/** A packet to the customer that has no such header, as text. */
function witnessWithout(header: Header, prefixes: readonly OwnedPrefix[]): string {
  const [protocol, flags] = header === "udp" ? ["tcp", " flags=S"] : ["udp", ""];
  const { prefix } = prefixes[0] ?? { prefix: { family: 4, base: 0xcb007100n, length: 24 } as const };
  const destination = formatAddress({ family: prefix.family, value: prefix.base });
  return prefix.family === 4
    ? `${protocol} 192.0.2.7:5000 > ${destination}:5000${flags}`
    : `${protocol} [2001:db8::7]:5000 > [${destination}]:5000${flags}`;
}
