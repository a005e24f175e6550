/**
 * What policies import from "tidegate".
 *
 * A policy is read by the compiler, never run, so nothing here has an effect on packets. Run as JavaScript, each
 * function gives back what it was told, under a `kind`: useful for a script that looks at a policy.
 */

/** An address prefix, such as "203.0.113.0/24" or "2001:db8::/32". All bits behind the length are zero. */
export type Prefix = `${string}/${number}`;

/** Packets a second, a minute or an hour: "5000/s", "100/m", "10/h". */
export type Rate = `${number}/${"s" | "m" | "h"}`;

/** A filter expression, made by `expr`. */
export interface Expr {
  readonly kind: "expr";
  readonly text: readonly string[];
  readonly values: readonly Interpolable[];
}

/** A named list of addresses and prefixes, made by `list`. */
export interface List {
  readonly kind: "list";
  readonly items: readonly string[];
}

/** What can stand in the `${…}` of an expression. Arrays and lists stand behind `in`. */
export type Interpolable = string | number | readonly (string | number)[] | List | Expr;

/** What shares one allowance of a limit: the packets of one source, or to one destination. */
export type LimitKey = "ip.src" | "ip.dst";

export interface LimitOptions {
  /** The rate that is let through. */
  readonly rate: Rate;
  /** Packets that may come at once, at least 1. Default: the packets of one second. */
  readonly burst?: number;
  /** Default: all packets that the rule matches share one allowance. */
  readonly per?: LimitKey;
}

/** A rule, made by `allow`, `drop` or `limit`. Its name is its identity and unique in the policy. */
export type Rule =
  | { readonly kind: "rule"; readonly action: "allow" | "drop"; readonly name: string; readonly match: Expr }
  | {
      readonly kind: "rule";
      readonly action: "limit";
      readonly name: string;
      readonly match: Expr;
      readonly options: LimitOptions;
    };

export interface GreOptions {
  /** The customer's router: the outer destination, an IPv4 address. */
  readonly remote: string;
  /** TTL of the outer header, 1 to 255. Default: 64. */
  readonly ttl?: number;
  /** Largest inner packet in bytes. Default: 1476, for a path of 1500 bytes. */
  readonly mtu?: number;
  /** GRE key (RFC 2890), 0 to 4294967295. Default: none. */
  readonly key?: number;
}

/** A GRE tunnel to the customer's network, made by `gre`. */
export interface Tunnel extends GreOptions {
  readonly kind: "gre";
}

export interface FirewallOptions {
  /** What happens to packets that no rule decides. There is no default for it. */
  readonly default: "allow" | "drop";
  /** In order: the first `allow` or `drop` that matches decides. */
  readonly rules: readonly Rule[];
}

export interface RouteOptions<TunnelName extends string = string> {
  readonly prefix: Prefix;
  /** A name in `tunnels`. */
  readonly tunnel: TunnelName;
  /** Lower is tried first among routes of one prefix, like the kernel's metric. Default: 100. */
  readonly priority?: number;
  /** Share of the traffic among routes of the same prefix and priority. Default: 1. */
  readonly weight?: number;
}

/** A packet that you promise a verdict for; `tidegate test` keeps the promise. */
export interface TestOptions {
  /** As tcpdump would print it: "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S". */
  readonly packet: string;
  readonly expect: "allow" | "drop";
  /** The rule that decides. Default: any. */
  readonly rule?: string;
}

export interface PolicyOptions<TunnelName extends string = string> {
  /** Your name: small letters, digits and `-`, at most 32. */
  readonly customer: string;
  /** What you announce through the edge. A policy sees packets to these prefixes only. */
  readonly prefixes: readonly Prefix[];
  /** Runs first, in XDP: the first `allow` or `drop` that matches ends the stage, else on to the firewall. */
  readonly mitigate?: readonly Rule[];
  /** Runs second, in nftables inside your own network namespace. */
  readonly firewall: FirewallOptions;
  /** Tunnels by name. */
  readonly tunnels?: Readonly<Record<TunnelName, Tunnel>>;
  /** Where clean packets go: the longest prefix, then the lowest priority. */
  readonly routes?: readonly RouteOptions<NoInfer<TunnelName>>[];
  readonly tests?: readonly TestOptions[];
}

/** A whole policy, made by `policy`. */
export interface Policy extends PolicyOptions {
  readonly kind: "policy";
}

export interface EdgeOptions {
  /** Network devices that packets from the Internet come in by. */
  readonly uplinks: readonly string[];
  /** Outer source of all tunnels, the same on every server: at most one address a family. */
  readonly anycast: readonly string[];
  /** Which prefixes each customer may claim. */
  readonly owners: Readonly<Record<string, readonly string[]>>;
}

/** The operator's side, made by `edge`. */
export interface Edge extends EdgeOptions {
  readonly kind: "edge";
}

/**
 * One customer's policy; a policy file exports it as its default.
 *
 * @example
 * export default policy({
 *   customer: "acme",
 *   prefixes: ["203.0.113.0/24"],
 *   firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport in {80 443}`)] },
 * });
 */
export function policy<TunnelName extends string = never>(options: PolicyOptions<TunnelName>): Policy {
  return { kind: "policy", ...options };
}

/**
 * The operator's file: what an edge server is.
 *
 * @example
 * export default edge({
 *   uplinks: ["eth0"],
 *   anycast: ["192.0.2.1"],
 *   owners: { acme: ["203.0.113.0/24"] },
 * });
 */
export function edge(options: EdgeOptions): Edge {
  return { kind: "edge", ...options };
}

/**
 * A list of addresses and prefixes that rules share. Its data can change without a new program; the constant
 * that holds it gives it its name.
 *
 * @example
 * const partners = list(["198.51.100.0/24", "192.0.2.7"]);
 * allow("partners", expr`ip.src in ${partners}`)
 */
export function list(items: readonly string[]): List {
  return { kind: "list", items };
}

/**
 * A filter expression. Values in `${…}` become typed values of the expression, never text of it.
 *
 * @example
 * expr`ip.dst == ${server} and tcp.dstport in {20..21}`
 */
export function expr(text: TemplateStringsArray, ...values: readonly Interpolable[]): Expr {
  return { kind: "expr", text: text.raw, values };
}

/**
 * Lets packets go on: from `mitigate` to the firewall, from the firewall to the routes.
 *
 * @example
 * allow("ftp", expr`tcp.dstport in {20..21}`)
 */
export function allow(name: string, match: Expr): Rule {
  return { kind: "rule", action: "allow", name, match };
}

/**
 * Drops packets.
 *
 * @example
 * drop("bogons", expr`ip.src in {10.0.0.0/8 192.168.0.0/16}`)
 */
export function drop(name: string, match: Expr): Rule {
  return { kind: "rule", action: "drop", name, match };
}

/**
 * Drops packets over a rate. Packets under it go on to the next rule.
 *
 * @example
 * limit("syn-flood", expr`tcp.flags.syn and not tcp.flags.ack`, { rate: "5000/s", burst: 10_000, per: "ip.src" })
 */
export function limit(name: string, match: Expr, options: LimitOptions): Rule {
  return { kind: "rule", action: "limit", name, match, options };
}

/**
 * A GRE tunnel (RFC 2784) from the edge's anycast address.
 *
 * @example
 * tunnels: { chicago: gre({ remote: "198.51.100.1", ttl: 64, mtu: 1476 }) }
 */
export function gre(options: GreOptions): Tunnel {
  return { kind: "gre", ...options };
}
