import { PROTOCOLS } from "../../src/compiler/ir/fields.js";

/** Numbers from `low` to `high`, both of them included. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

/** An IPv4 prefix; the host bits of `base` are zero. */
export interface FlowPrefix {
  readonly base: number;
  readonly length: number;
}

/**
 * A rule over the five numbers that say whose packet it is, as access lists and the public rule sets have them. A rule
 * that asks for ports asks for a protocol that has ports.
 */
export interface FlowRule {
  readonly source: FlowPrefix;
  readonly destination: FlowPrefix;
  readonly sourcePorts: Span;
  readonly destinationPorts: Span;
  /** null: any. */
  readonly protocol: number | null;
}

/** Five numbers of a packet; the ports are 0 where its protocol has none. */
export interface Flow {
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
}

export type FlowVerdict = "allow" | "drop";

export const ANY_PREFIX: FlowPrefix = { base: 0, length: 0 };
export const ANY_PORT: Span = { low: 0, high: 0xffff };

export function isAnyPort({ low, high }: Span): boolean {
  return low === ANY_PORT.low && high === ANY_PORT.high;
}

/** Whether the protocol's packets carry the ports that rules ask for. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOLS.tcp || protocol === PROTOCOLS.udp;
}

/** The sets carry no actions: of a set's rules, from 0, the even ones drop and the odd ones allow. */
export function verdictOf(index: number): FlowVerdict {
  return index % 2 === 0 ? "drop" : "allow";
}

/** The addresses of a prefix. */
export function addressesOf({ base, length }: FlowPrefix): Span {
  return { low: base, high: base + 2 ** (32 - length) - 1 };
}

export function prefixAt(address: number, length: number): FlowPrefix {
  const size = 2 ** (32 - length);
  return { base: Math.floor(address / size) * size, length };
}

/** The number of the first rule that matches, or -1: what every benchmark's answer is held against. */
export function firstMatch(rules: readonly FlowRule[], flow: Flow): number {
  return rules.findIndex((rule) => matches(rule, flow));
}

export function matches(rule: FlowRule, flow: Flow): boolean {
  return (
    isIn(addressesOf(rule.source), flow.source) &&
    isIn(addressesOf(rule.destination), flow.destination) &&
    (rule.protocol === null || rule.protocol === flow.protocol) &&
    portMatches(rule.sourcePorts, flow.sourcePort, flow.protocol) &&
    portMatches(rule.destinationPorts, flow.destinationPort, flow.protocol)
  );
}

/** The same, for many packets against the same rules: some hundred million comparisons a second. */
export function matcherOf(rules: readonly FlowRule[]): (flow: Flow) => number {
  const bounds = Float64Array.from(rules.flatMap(boundsOf));
  return ({ source, destination, sourcePort, destinationPort, protocol }) => {
    const ports = hasPorts(protocol);
    const from = ports ? sourcePort : NO_PORT;
    const to = ports ? destinationPort : NO_PORT;
    for (let rule = 0, at = 0; rule < rules.length; rule++, at += BOUNDS) {
      if (
        isBetween(bounds, at, source) &&
        isBetween(bounds, at + 2, destination) &&
        isBetween(bounds, at + 4, from) &&
        isBetween(bounds, at + 6, to) &&
        isBetween(bounds, at + 8, protocol)
      )
        return rule;
    }
    return -1;
  };
}

const BOUNDS = 10;
/** Below all ports: in the bounds of rules that ask for any. */
const NO_PORT = -1;

function boundsOf({
  source,
  destination,
  sourcePorts,
  destinationPorts,
  protocol,
}: FlowRule): readonly number[] {
  const anyways = (ports: Span) => (isAnyPort(ports) ? { low: NO_PORT, high: ports.high } : ports);
  const protocols = protocol === null ? { low: 0, high: 255 } : { low: protocol, high: protocol };
  const spans = [
    addressesOf(source),
    addressesOf(destination),
    anyways(sourcePorts),
    anyways(destinationPorts),
  ];
  return [...spans, protocols].flatMap(({ low, high }) => [low, high]);
}

function isBetween(bounds: Float64Array, at: number, value: number): boolean {
  return (bounds[at] ?? 0) <= value && value <= (bounds[at + 1] ?? 0);
}

function portMatches(ports: Span, port: number, protocol: number): boolean {
  return isAnyPort(ports) || (hasPorts(protocol) && isIn(ports, port));
}

function isIn({ low, high }: Span, value: number): boolean {
  return low <= value && value <= high;
}
