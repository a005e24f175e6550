import type { Span } from "../../src/compiler/diagnostics/span.js";
import { type Family, parseAddress, parsePrefix, prefixRange } from "../../src/compiler/ir/address.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { AddressFieldName } from "../../src/compiler/ir/fields.js";
import { intervals, type Range } from "../../src/compiler/ir/intervals.js";
import type {
  Action,
  AddressList,
  Limit,
  Policy,
  Rule,
  Tunnel,
  Verdict,
} from "../../src/compiler/ir/policy.js";
import {
  bytesNeeded,
  slice,
  WIRE_FIELDS,
  type WireField,
  type WireName,
} from "../../src/compiler/ir/wire.js";

/** Policy IR by hand, for tests of the targets. */

export function spanAt(line: number): Span {
  return {
    file: "policies/acme.policy.ts",
    start: 100 * line,
    end: 100 * line + 1,
    line,
    column: 1,
    endLine: line,
    endColumn: 2,
  };
}

const SPAN = spanAt(1);

/** An address, a prefix or `LOW-HIGH`. */
export function range(text: string): { readonly family: Family; readonly range: Range } {
  const parsed = parsePrefix(text);
  if (parsed.kind === "prefix") return { family: parsed.prefix.family, range: prefixRange(parsed.prefix) };
  const [low, high] = text.split("-").map(parseAddress);
  if (!low) throw new Error(`not an address: ${text}`);
  return { family: low.family, range: { low: low.value, high: (high ?? low).value } };
}

export function address(field: AddressFieldName, ...texts: readonly string[]): Expr {
  const parsed = texts.map(range);
  const family = parsed[0]?.family ?? 4;
  const ranges = intervals(parsed.map((one) => one.range));
  return { kind: "address", field, family, ranges, needs: addressNeeds(family), span: SPAN };
}

/** The field lies in one of the inclusive ranges. */
export function number(
  field: WireName | WireField,
  ...ranges: readonly (number | readonly [number, number])[]
): Expr {
  const all = ranges.map((one) => (typeof one === "number" ? [one, one] : one) as readonly [number, number]);
  return {
    kind: "number",
    field: wireOf(field),
    ranges: intervals(all.map(([low, high]) => ({ low: BigInt(low), high: BigInt(high) }))),
    needs: numberNeeds(field),
    span: SPAN,
  };
}

export function bits(field: WireName | WireField, mask: number): Expr {
  return { kind: "bits", field: wireOf(field), mask: BigInt(mask), needs: numberNeeds(field), span: SPAN };
}

export function inList(field: AddressFieldName, name: string, family: Family): Expr {
  return { kind: "list", field, family, list: name, needs: addressNeeds(family), span: SPAN };
}

export function and(...operands: readonly Expr[]): Expr {
  return { kind: "and", operands, span: SPAN };
}

export function or(...operands: readonly Expr[]): Expr {
  return { kind: "or", operands, span: SPAN };
}

export function xor(...operands: readonly Expr[]): Expr {
  return { kind: "xor", operands, span: SPAN };
}

/** What tables cannot say: more terms than are spelled out, and a list, which a condition asked as a whole has no map for. */
export function entangled(named: string): Expr {
  const bytes = Array.from({ length: 7 }, (_, at) => number(slice("udp", 64 + 8 * at, 8), at));
  return xor(inList("ip.src", named, 4), ...bytes);
}

export function not(operand: Expr): Expr {
  return { kind: "not", operand, span: SPAN };
}

export function constant(value: boolean): Expr {
  return { kind: "const", value, span: SPAN };
}

export function list(name: string, ...texts: readonly string[]): AddressList {
  const parsed = texts.map(range);
  const of = (family: Family) =>
    intervals(parsed.filter((one) => one.family === family).map((one) => one.range));
  return { name, 4: of(4), 6: of(6), span: SPAN };
}

export function rule(name: string, action: Action | Verdict, match: Expr, line = 1): Rule {
  return { name, action: typeof action === "string" ? { kind: action } : action, match, span: spanAt(line) };
}

/** `count` packets a second. */
export function limit(count: number, burst: number, per: Limit["per"]): Action {
  const interval = 1_000_000_000n / BigInt(count);
  return { kind: "limit", limit: { interval, burst: BigInt(burst), per, rate: { count, unit: "s" } } };
}

/** A GRE tunnel as the language makes it where only a remote is written. */
export function tunnel(name: string, remote: string, overrides: Partial<Tunnel> = {}): Tunnel {
  const address = parseAddress(remote);
  if (!address) throw new Error(`not an address: ${remote}`);
  const outer = { ttl: 64, dscp: "inherit", df: "set" } as const;
  const inner = { mtu: 1476, key: null, mss: { 4: 1436, 6: 1416 } };
  return { name, kind: "gre", remote: address, ...outer, ...inner, span: SPAN, ...overrides };
}

export function policy(mitigate: readonly Rule[], lists: readonly AddressList[] = []): Policy {
  return {
    customer: "acme",
    prefixes: ["203.0.113.0/24", "2001:db8::/32"].map((text) => {
      const parsed = parsePrefix(text);
      if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
      return { prefix: parsed.prefix, span: SPAN };
    }),
    mitigate,
    firewall: { default: "drop", rules: [], stateful: false, offload: "off" },
    datapath: "auto",
    lists,
    tunnels: [],
    routes: [],
    noLiveTunnel: "blackhole",
    tests: [],
    span: SPAN,
  };
}

function addressNeeds(family: Family) {
  return family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
}

function numberNeeds(field: WireName | WireField) {
  const wire = wireOf(field);
  return { header: wire.header, bytes: bytesNeeded(wire) };
}

function wireOf(field: WireName | WireField): WireField {
  return typeof field === "string" ? WIRE_FIELDS[field] : field;
}
