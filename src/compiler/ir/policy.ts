import type { Spanned } from "../diagnostics/span.js";
import { type Address, type Family, formatAddress, formatPrefix, isPrivate, type Prefix } from "./address.js";
import type { Expr } from "./expr.js";
import type { AddressFieldName } from "./fields.js";
import type { Intervals } from "./intervals.js";

export type Stage = "mitigate" | "firewall";

/** How a stage ends for a packet. `reject`, of the firewall only, is a `drop` that the sender is told of. */
export type Verdict = "allow" | "drop" | "reject";

/** One key's allowance, as GCRA (ITU-T I.371, virtual scheduling): see semantics/gcra.ts. */
export interface Limit {
  /** Nanoseconds that one packet costs: the emission interval. */
  readonly interval: bigint;
  /** Packets that may come at once, at least 1. */
  readonly burst: bigint;
  /** What shares one allowance: an address, or (null) all packets that the rule matches. */
  readonly per: AddressFieldName | null;
  /** The rate as the author wrote it, for targets whose limits speak in rates. */
  readonly rate: { readonly count: number; readonly unit: RateUnit };
}

export type RateUnit = "s" | "m" | "h";

/**
 * Verdicts are terminal in their stage. `limit` drops what is over the rate; what is under it goes on to the next
 * rule, and so does whatever `count` and `log` match.
 */
export type Action =
  | { readonly kind: Verdict }
  | { readonly kind: "limit"; readonly limit: Limit }
  | { readonly kind: "count" }
  /** `sample`: of so many packets one is written down. */
  | { readonly kind: "log"; readonly sample: number };

/** The span is the name's: the place that a message about the rule as a whole points at. */
export interface Rule extends Spanned {
  /** The rule's identity: counters, tests and diffs hang on it. Unique in the policy, both stages together. */
  readonly name: string;
  readonly action: Action;
  readonly match: Expr;
}

/** The others let packets go on to the next rule. */
export function isTerminal({ action }: Pick<Rule, "action">): boolean {
  return action.kind === "allow" || action.kind === "drop" || action.kind === "reject";
}

/** Addresses by family. An entry of one family says nothing about the other. */
export interface AddressList extends Spanned {
  readonly name: string;
  readonly 4: Intervals;
  readonly 6: Intervals;
}

/** How each edge server finds out whether a tunnel's router lives: see docs/semantics.md, "Whether a router lives". */
export interface Health {
  /**
   * `request`: echo requests to the target, who answers. `reply`: echo replies that seem to come from the target, which
   * the router has only to pass on. Both go through the tunnel, and what comes of them to the server's own address.
   */
  readonly style: "request" | "reply";
  readonly target: Address;
  /** Milliseconds from one probe to the next. */
  readonly interval: number;
  /** Milliseconds until a probe without an answer counts as lost. */
  readonly timeout: number;
  /** A dead tunnel lives again after so many answers in a row. */
  readonly up: number;
  /** A tunnel is dead after so many losses in a row. */
  readonly down: number;
}

/** GRE (RFC 2784), or the inner packet behind the outer header and nothing else (RFC 2003, RFC 4213, RFC 2473). */
export type TunnelKind = "gre" | "ipip";

export interface Tunnel extends Spanned {
  readonly name: string;
  readonly kind: TunnelKind;
  /** The outer destination. Its family is that of the outer header; inside are packets of both families. */
  readonly remote: Address;
  /** TTL or hop limit of the outer header. `inherit`: the inner packet's. */
  readonly ttl: number | "inherit";
  /** Largest inner packet in bytes. */
  readonly mtu: number;
  /** GRE key (RFC 2890), or null for none. */
  readonly key: number | null;
  /** DSCP of the outer header, 0 to 63. `inherit`: the inner packet's. */
  readonly dscp: number | "inherit";
  /** "Don't fragment" of an outer IPv4 header. `inherit`: the inner IPv4 packet's, and not set around IPv6. */
  readonly df: "set" | "inherit";
  /** What larger MSS options of TCP are lowered to, by the family of the packet inside; null: they are left alone. */
  readonly mss: Readonly<Record<Family, number>> | null;
  /** Absent: nobody asks, and it counts as live. */
  readonly health?: Health;
}

export interface Route extends Spanned {
  readonly prefix: Prefix;
  readonly tunnel: string;
  /** Lower is tried first among routes of the same prefix, like a kernel route's metric. */
  readonly priority: number;
  /** Its share of the flows among the routes of the same prefix and priority, 1 to 256. */
  readonly weight: number;
}

export interface OwnedPrefix extends Spanned {
  readonly prefix: Prefix;
}

/** A packet that the author promises a verdict for. */
export interface PolicyTest extends Spanned {
  readonly packet: string;
  readonly expect: Verdict;
  readonly rule: string | null;
}

/** Whether XDP drops what it can tell that the firewall drops, or leaves everything to the customer's namespace. */
export type Offload = "auto" | "off";

/** Where allowed packets go on their way to a tunnel: see docs/semantics.md, "The fast path". */
export type Datapath = "auto" | "namespace" | "xdp";

/** What becomes of packets all of whose tunnels are dead: see docs/semantics.md, "Whether a router lives". */
export type NoLiveTunnel = "blackhole" | "use";

export interface Firewall {
  /** What happens to packets that no rule decides. */
  readonly default: Verdict;
  readonly rules: readonly Rule[];
  /** Connections are tracked, and so datagrams are judged whole: see docs/semantics.md, "A stateful firewall". */
  readonly stateful: boolean;
  /** See docs/semantics.md, "The early step". */
  readonly offload: Offload;
  /** Of more rules than the XDP program has room for, so many are looked at early; without it, all are. */
  readonly earlyRules?: number;
}

/** Everything that one customer asks for. The only type that crosses from src/compiler to src/targets. */
export interface Policy extends Spanned {
  readonly customer: string;
  readonly prefixes: readonly OwnedPrefix[];
  readonly mitigate: readonly Rule[];
  readonly firewall: Firewall;
  readonly datapath: Datapath;
  readonly lists: readonly AddressList[];
  readonly tunnels: readonly Tunnel[];
  readonly routes: readonly Route[];
  readonly noLiveTunnel: NoLiveTunnel;
  readonly tests: readonly PolicyTest[];
}

/** TG_TUNNELS in bpf-templates/forward.h: as many tunnels of a policy, the first ones, can be sent into from XDP. */
export const FAST_TUNNELS = 64;

/** GRE over IPv4 as XDP writes it. Where its router is asked whether it lives, the runtime closes it to XDP while it is dead. */
export function isSentFromXdp({ kind, remote, ttl, dscp, df }: Tunnel): boolean {
  return kind === "gre" && remote.family === 4 && ttl !== "inherit" && dscp === "inherit" && df === "set";
}

/** What probes begin with, behind ICMP's header, and answers bring back (runtime/health/probe-packet.ts). */
export const PROBE_MAGIC = "tidegate";

/** Bytes of a probe and of its answer, from ICMP's header on. */
export const PROBE_LENGTH = 64;

/**
 * Whom probes ask at an address that means nobody outside of the tunnel, each once: the answer can come by the tunnel only. In style
 * "reply" nobody answers.
 */
export function privateTargets(tunnels: readonly Tunnel[]): readonly Address[] {
  const targets = tunnels.flatMap(({ health }) => {
    return health?.style === "request" && isPrivate(health.target) ? [health.target] : [];
  });
  return [...new Map(targets.map((target) => [formatAddress(target), target])).values()];
}

/**
 * Whether XDP sends on itself what it can tell that the firewall allows. With "auto" it does not: that an uplink's driver
 * takes frames from XDP is for an operator to know.
 */
export function forwardsInXdp({ datapath, firewall }: Policy): boolean {
  return datapath === "xdp" && !firewall.stateful && firewall.offload === "auto";
}

/** Routes of one prefix and one priority, in the policy's order: they share its packets by weight. */
export function equalRoutes<R extends Route>(routes: readonly R[]): readonly (readonly R[])[] {
  const byCost = new Map<string, R[]>();
  for (const route of routes) {
    const cost = `${formatPrefix(route.prefix)} ${route.priority}`;
    const equal = byCost.get(cost);
    if (equal) equal.push(route);
    else byCost.set(cost, [route]);
  }
  return [...byCost.values()];
}

/** The rules of both stages, in the order in which packets meet them. */
export function rulesOf(policy: Policy): readonly Rule[] {
  return [...policy.mitigate, ...policy.firewall.rules];
}
