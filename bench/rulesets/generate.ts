import { PROTOCOLS } from "../../src/compiler/ir/fields.js";
import {
  ANY_PORT,
  ANY_PREFIX,
  type FlowPrefix,
  type FlowRule,
  isAnyPort,
  prefixAt,
  type Span,
} from "./flow-rule.js";
import { Random } from "./random.js";

/**
 * Rule sets of our own, of any size, alike in kind to what people run: access lists in front of servers, firewalls full
 * of wildcards, chains between hosts. docs/bench.md describes the distributions; none is taken from anybody's rules.
 */

export const SET_KINDS = ["acl", "fw", "chain"] as const;
export type SetKind = (typeof SET_KINDS)[number];

/** `count` different rules; the same seed gives the same ones. */
export function generateRules(kind: SetKind, count: number, seed: number): readonly FlowRule[] {
  const random = new Random(seed);
  const site = siteFor(count, random);
  const make = MAKERS[kind];
  const rules = new Map<string, FlowRule>();
  for (let tries = 0; rules.size < count; tries++) {
    if (tries > 100 * count + 1000) throw new RangeError(`there are no ${count} different ${kind} rules`);
    const rule = make(site, random);
    rules.set(JSON.stringify(rule), rule);
  }
  return ordered([...rules.values()], random);
}

/** Whom a set's rules speak of; who stands first in a list is spoken of most. */
interface Site {
  readonly servers: readonly number[];
  readonly subnets: readonly FlowPrefix[];
  /** Hosts and networks elsewhere. */
  readonly clients: readonly number[];
  readonly partners: readonly FlowPrefix[];
  readonly services: readonly number[];
}

const WELL_KNOWN = [
  443, 80, 22, 53, 25, 123, 3389, 161, 993, 8080, 21, 389, 1433, 3306, 5060, 5432, 587, 514, 69, 179,
];

function siteFor(count: number, random: Random): Site {
  const several = (share: number, least: number) => Math.max(least, Math.ceil(count * share));
  const make = <T>(amount: number, one: () => T): readonly T[] => Array.from({ length: amount }, one);
  const networks = make(several(1 / 200, 3), () => prefixAt(publicAddress(random), random.between(14, 20)));
  const subnets = make(several(1 / 40, 6), () =>
    inside(random.among(networks), random.between(22, 28), random),
  );
  return {
    subnets,
    servers: make(several(1 / 8, 8), () => inside(random.zipf(subnets), 32, random).base),
    clients: make(several(1 / 5, 12), () => publicAddress(random)),
    partners: make(several(1 / 12, 8), () => prefixAt(publicAddress(random), random.between(8, 24))),
    services: [...WELL_KNOWN, ...make(several(1 / 50, 10), () => random.between(1024, 49_151))],
  };
}

/** An address that hosts have: neither of 0.0.0.0/8 nor loopback nor multicast nor reserved. */
function publicAddress(random: Random): number {
  for (;;) {
    const first = random.between(1, 223);
    if (first !== 127) return first * 2 ** 24 + random.below(2 ** 24);
  }
}

function inside({ base, length }: FlowPrefix, wanted: number, random: Random): FlowPrefix {
  const longer = Math.max(length, wanted);
  return prefixAt(base + random.below(2 ** (32 - length)), longer);
}

function host(address: number): FlowPrefix {
  return prefixAt(address, 32);
}

type Maker = (site: Site, random: Random) => FlowRule;

const MAKERS: Readonly<Record<SetKind, Maker>> = { acl: aclRule, fw: firewallRule, chain: chainRule };

/** What stands in front of servers: exact destinations and services, sources from one host to anybody. */
function aclRule(site: Site, random: Random): FlowRule {
  const destination = random.weighted<() => FlowPrefix>([
    [75, () => host(random.zipf(site.servers))],
    [20, () => random.zipf(site.subnets)],
    [5, () => ANY_PREFIX],
  ])();
  const source = random.weighted<() => FlowPrefix>([
    [20, () => ANY_PREFIX],
    [30, () => random.zipf(site.partners)],
    [
      50,
      () =>
        prefixAt(
          random.zipf(site.clients),
          random.weighted([
            [4, 32],
            [1, 29],
            [1, 26],
          ]),
        ),
    ],
  ])();
  const protocol = random.weighted<number | null>([
    [70, PROTOCOLS.tcp],
    [18, PROTOCOLS.udp],
    [8, null],
    [4, PROTOCOLS.icmp],
  ]);
  const destinationPorts = portsOf(protocol, () =>
    random.chance(0.85) ? exact(random.zipf(site.services)) : range(random),
  );
  return { source, destination, sourcePorts: ANY_PORT, destinationPorts, protocol };
}

/** Many wildcards, on either side, and ports on both. */
function firewallRule(site: Site, random: Random): FlowRule {
  const end = (own: () => FlowPrefix, wild: number) =>
    random.weighted<() => FlowPrefix>([
      [wild, () => ANY_PREFIX],
      [8, () => prefixAt(publicAddress(random), random.between(1, 8))],
      [92 - wild, own],
    ])();
  const source = end(() => prefixAt(random.zipf(site.clients), random.between(20, 32)), 45);
  const destination = end(() => prefixAt(random.zipf(site.servers), random.between(26, 32)), 40);
  const protocol = random.weighted<number | null>([
    [50, PROTOCOLS.tcp],
    [32, PROTOCOLS.udp],
    [5, PROTOCOLS.icmp],
    [5, PROTOCOLS.gre],
    [5, null],
    [3, PROTOCOLS.esp],
  ]);
  const sourcePorts = portsOf(protocol, () =>
    random.weighted([
      [75, ANY_PORT],
      [20, exact(random.zipf(site.services))],
      [5, range(random)],
    ]),
  );
  const destinationPorts = portsOf(protocol, () =>
    random.weighted([
      [70, exact(random.zipf(site.services))],
      [12, range(random)],
      [18, ANY_PORT],
    ]),
  );
  return { source, destination, sourcePorts, destinationPorts, protocol };
}

/** Between hosts and networks that know one another: both ends named, often for all that they say. */
function chainRule(site: Site, random: Random): FlowRule {
  const end = (addresses: readonly number[], networks: readonly FlowPrefix[]) =>
    random.weighted<() => FlowPrefix>([
      [58, () => host(random.zipf(addresses))],
      [36, () => random.zipf(networks)],
      [6, () => ANY_PREFIX],
    ])();
  const source = end(site.clients, site.partners);
  const destination = end(site.servers, site.subnets);
  const protocol = random.weighted<number | null>([
    [32, null],
    [38, PROTOCOLS.udp],
    [26, PROTOCOLS.tcp],
    [4, PROTOCOLS.icmp],
  ]);
  const service = () => exact(random.zipf(site.services));
  const [sourcePorts, destinationPorts] = random.weighted<() => readonly [Span, Span]>([
    [30, () => [service(), ANY_PORT]],
    [60, () => [ANY_PORT, random.chance(0.9) ? service() : range(random)]],
    [10, () => [service(), service()]],
  ])();
  return {
    source,
    destination,
    sourcePorts: portsOf(protocol, () => sourcePorts),
    destinationPorts: portsOf(protocol, () => destinationPorts),
    protocol,
  };
}

/** Rules for protocols without ports, and for any protocol, ask for no ports. */
function portsOf(protocol: number | null, make: () => Span): Span {
  return protocol === PROTOCOLS.tcp || protocol === PROTOCOLS.udp ? make() : ANY_PORT;
}

function exact(port: number): Span {
  return { low: port, high: port };
}

function range(random: Random): Span {
  return random.weighted<() => Span>([
    [4, () => ({ low: 1024, high: 65_535 })],
    [2, () => ({ low: 49_152, high: 65_535 })],
    [1, () => ({ low: 0, high: 1023 })],
    [3, () => around(random.between(1024, 60_000), random.between(2, 400))],
  ])();
}

function around(low: number, size: number): Span {
  return { low, high: low + size - 1 };
}

/** The narrow before the wide, though not strictly: so most rules decide something, and some are shadowed. */
function ordered(rules: readonly FlowRule[], random: Random): readonly FlowRule[] {
  const placed = rules.map((rule) => ({ rule, place: narrowness(rule) + random.below(NOISE) }));
  return placed.sort((a, b) => b.place - a.place).map(({ rule }) => rule);
}

/** In bits, of 96 that a rule can name. */
const NOISE = 12;

function narrowness({ source, destination, sourcePorts, destinationPorts, protocol }: FlowRule): number {
  const ports = [sourcePorts, destinationPorts].filter((one) => !isAnyPort(one)).length;
  return source.length + destination.length + 16 * ports + (protocol === null ? 0 : 8);
}
