import type { Span as SourceSpan } from "../../src/compiler/diagnostics/span.js";
import { formatAddress, formatPrefix, type Prefix, parsePrefix } from "../../src/compiler/ir/address.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { AddressFieldName } from "../../src/compiler/ir/fields.js";
import { universe } from "../../src/compiler/ir/intervals.js";
import type { Policy, Rule, Stage } from "../../src/compiler/ir/policy.js";
import { bytesNeeded, WIRE_FIELDS, type WireName } from "../../src/compiler/ir/wire.js";
import { addressesOf, type FlowPrefix, type FlowRule, isAnyPort, type Span, verdictOf } from "./flow-rule.js";

/** A policy of a rule set: as a customer would write it, and as the compiler would read that. */

export interface PolicyOptions {
  /** Where the rules stand: `mitigate` is XDP's, `firewall` nftables'. */
  readonly stage: Stage;
}

/** A policy may not own everything in one prefix; rules ask for any destination. */
const EVERYTHING = ["0.0.0.0/1", "128.0.0.0/1"];
const CUSTOMER = "bench";
const FILE = `${CUSTOMER}.policy.ts`;

/** The rule's identity in the policy, by its number from 0. */
export function ruleName(index: number): string {
  return `r${index}`;
}

/** The set as a `*.policy.ts`. What no rule decides is allowed. */
export function policyText(rules: readonly FlowRule[], { stage }: PolicyOptions): string {
  const lines = rules.map(
    (rule, index) => `${verdictOf(index)}("${ruleName(index)}", expr\`${filter(rule)}\`),`,
  );
  const indented = (indent: string) => lines.map((line) => `${indent}${line}`).join("\n");
  const mitigate = stage === "mitigate" ? `  mitigate: [\n${indented("    ")}\n  ],\n` : "";
  const inside = stage === "firewall" ? `[\n${indented("      ")}\n    ]` : "[]";
  return `import { allow, drop, expr, policy } from "tidegate";

export default policy({
  customer: "${CUSTOMER}",
  prefixes: ${JSON.stringify(EVERYTHING)},
${mitigate}  firewall: {
    default: "allow",
    rules: ${inside},
  },
});
`;
}

/** The same policy without reading it: for benches that measure what comes behind. Spans are those of no text. */
export function policyOf(rules: readonly FlowRule[], { stage }: PolicyOptions): Policy {
  const list = rules.map(ruleOf);
  return {
    customer: CUSTOMER,
    prefixes: EVERYTHING.map((text) => ({ prefix: prefix(text), span: at(1) })),
    mitigate: stage === "mitigate" ? list : [],
    firewall: { default: "allow", rules: stage === "firewall" ? list : [], stateful: false, offload: "auto" },
    datapath: "auto",
    lists: [],
    tunnels: [],
    routes: [],
    noLiveTunnel: "blackhole",
    tests: [],
    span: at(1),
  };
}

function ruleOf(rule: FlowRule, index: number): Rule {
  const span = at(index + 1);
  return { name: ruleName(index), action: { kind: verdictOf(index) }, match: match(rule, span), span };
}

/** The conditions of a rule, in the order in which both forms of a policy name them. */
interface Conditions {
  readonly addresses: readonly { readonly field: AddressFieldName; readonly prefix: FlowPrefix }[];
  readonly ports: readonly { readonly end: "src" | "dst"; readonly ports: Span }[];
  readonly protocol: number | null;
}

function conditions({ source, destination, sourcePorts, destinationPorts, protocol }: FlowRule): Conditions {
  const addresses = [
    { field: "ip.src", prefix: source },
    { field: "ip.dst", prefix: destination },
  ] as const;
  const ports = [
    { end: "src", ports: sourcePorts },
    { end: "dst", ports: destinationPorts },
  ] as const;
  const asked = ports.filter((one) => !isAnyPort(one.ports));
  return {
    addresses: addresses.filter((one) => one.prefix.length > 0),
    ports: asked,
    // A comparison of a port says the protocol.
    protocol: asked.length > 0 ? null : protocol,
  };
}

const TRANSPORTS: Readonly<Record<number, "tcp" | "udp">> = { 6: "tcp", 17: "udp" };

function transportsOf(protocol: number | null): readonly ("tcp" | "udp")[] {
  const one = protocol === null ? undefined : TRANSPORTS[protocol];
  return one ? [one] : ["tcp", "udp"];
}

function filter(rule: FlowRule): string {
  const { addresses, ports, protocol } = conditions(rule);
  const [only, ...others] = transportsOf(rule.protocol);
  const owner = others.length > 0 ? "port" : only;
  const parts = [
    ...addresses.map((one) => `${one.field} ${addressText(one.prefix)}`),
    ...(protocol === null ? [] : [`ip.proto == ${protocol}`]),
    ...ports.map((one) => {
      const field = owner === "port" ? `port.${one.end}` : `${owner}.${one.end}port`;
      return `${field} ${portText(one.ports)}`;
    }),
  ];
  return parts.length > 0 ? parts.join(" and ") : "ip.version == 4";
}

function addressText({ base, length }: FlowPrefix): string {
  if (length === 32) return `== ${formatAddress({ family: 4, value: BigInt(base) })}`;
  return `in {${formatPrefix({ family: 4, base: BigInt(base), length })}}`;
}

function portText({ low, high }: Span): string {
  return low === high ? `== ${low}` : `in {${low}..${high}}`;
}

function match(rule: FlowRule, span: SourceSpan): Expr {
  const { addresses, ports, protocol } = conditions(rule);
  const operands = [
    ...addresses.map((one) => addressTest(one.field, one.prefix, span)),
    ...(protocol === null ? [] : [numberTest("ip.proto", { low: protocol, high: protocol }, span)]),
    ...(ports.length > 0 ? [portTests(rule, span)].flat() : []),
  ];
  const [first] = operands;
  if (!first) return everyPacket(span);
  return operands.length === 1 ? first : { kind: "and", operands, span };
}

function portTests(rule: FlowRule, span: SourceSpan): readonly Expr[] {
  const transports = transportsOf(rule.protocol);
  return conditions(rule).ports.map(({ end, ports }): Expr => {
    const tests = transports.map((transport) => numberTest(`${transport}.${end}port`, ports, span));
    const [only] = tests;
    return only && tests.length === 1 ? only : { kind: "or", operands: tests, span };
  });
}

function addressTest(field: AddressFieldName, written: FlowPrefix, span: SourceSpan): Expr {
  const { low, high } = addressesOf(written);
  const ranges = [{ low: BigInt(low), high: BigInt(high) }];
  const needs = { header: "ip4", bytes: field === "ip.src" ? 16 : 20 } as const;
  return { kind: "address", field, family: 4, ranges, needs, span };
}

function numberTest(name: WireName, { low, high }: Span, span: SourceSpan): Expr {
  const field = WIRE_FIELDS[name];
  const needs = { header: field.header, bytes: bytesNeeded(field) };
  return { kind: "number", field, ranges: [{ low: BigInt(low), high: BigInt(high) }], needs, span };
}

function everyPacket(span: SourceSpan): Expr {
  const needs = { header: "ip4", bytes: 16 } as const;
  return { kind: "address", field: "ip.src", family: 4, ranges: universe(32), needs, span };
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`${text} is no prefix`);
  return parsed.prefix;
}

function at(line: number): SourceSpan {
  return { file: FILE, start: 0, end: 0, line, column: 1, endLine: line, endColumn: 1 };
}
