/**
 * What policies import from "tidegate".
 *
 * A policy is read by the compiler, never run, so nothing here has an effect on packets. Run as JavaScript, each
 * function gives back what it was told, under a `kind`: useful for a script that looks at a policy.
 *
 * The types catch in an editor what has a form. What has a meaning is checked when the policy is read: whether a
 * prefix is an address at all, whether a rule is within the policy's prefixes, what an expression says.
 *
 * All of it is in one file, as it is one module to who writes policies: `tidegate init` puts its types beside them, and an
 * editor that goes to a definition shows the rest around it.
 */

/**
 * A prefix of IPv4 or IPv6 addresses with its length. All bits behind the length are zero.
 *
 * The strings of an imported JSON file have the type `string`. Say that they are prefixes with `as Prefix[]`; they
 * are checked when the policy is read. Functions that take addresses as well, such as `list`, take any string.
 *
 * @example
 * const prefixes: readonly Prefix[] = ["203.0.113.0/24", "2001:db8::/32"];
 */
export type Prefix = `${string}/${number}`;

/**
 * Packets a second (`s`), a minute (`m`) or an hour (`h`): a whole number, at least 1, and at most one packet a
 * nanosecond.
 *
 * @example
 * const rates: readonly Rate[] = ["5000/s", "100/m", "10/h"];
 */
export type Rate = `${number}/${"s" | "m" | "h"}`;

/**
 * A filter expression, made by `expr`.
 *
 * @example
 * const web: Expr = expr`tcp.dstport in {80 443}`;
 */
export interface Expr {
  readonly kind: "expr";
  readonly text: readonly string[];
  readonly values: readonly Interpolable[];
}

/**
 * A list of addresses and prefixes that rules share, made by `list`.
 *
 * @example
 * const partners: List = list(["198.51.100.0/24"]);
 */
export interface List {
  readonly kind: "list";
  readonly items: readonly string[];
}

/**
 * What can stand in the `${…}` of an expression: a whole number from 0, a string that holds an address, a prefix or a
 * number, an array of these or a list (both behind `in`), or another expression.
 *
 * @example
 * const ports: Interpolable = [80, 443];
 * const web = expr`tcp.dstport in ${ports}`;
 */
export type Interpolable = string | number | readonly (string | number)[] | List | Expr;

/**
 * What shares one allowance of a limit: the packets of one source, or those to one destination.
 *
 * @example
 * const per: LimitKey = "ip.src";
 */
export type LimitKey = "ip.src" | "ip.dst";

/**
 * How much a limit lets through.
 *
 * @example
 * const slow: LimitOptions = { rate: "100/m", burst: 20, per: "ip.src" };
 */
export interface LimitOptions {
  /** The rate that is let through, such as "5000/s". */
  readonly rate: Rate;
  /** Packets that may come at once, 1 to 4294967295. Default: the packets of one second, at least 1. */
  readonly burst?: number;
  /** Whose packets share one allowance. Default: all packets that the rule matches share one. */
  readonly per?: LimitKey;
}

/**
 * How much a `log` rule writes.
 *
 * @example
 * const often: LogOptions = { sample: 10 };
 */
export interface LogOptions {
  /** One packet in so many is logged, from 1 (each). All are counted. Default: 100. */
  readonly sample?: number;
}

/** What all rules have. */
interface RuleOf<Action extends string> {
  readonly kind: "rule";
  readonly action: Action;
  /** Its identity: counters, tests and diffs go by it, so that rules can be moved. */
  readonly name: string;
  readonly match: Expr;
}

/**
 * A rule of either stage, made by `allow`, `drop`, `limit`, `count` or `log`.
 *
 * @example
 * const closed: readonly Rule[] = [drop("ftp", expr`tcp.dstport == 21`), drop("telnet", expr`tcp.dstport == 23`)];
 */
export type Rule =
  | RuleOf<"allow" | "drop" | "count">
  | (RuleOf<"limit"> & { readonly options: LimitOptions })
  | (RuleOf<"log"> & { readonly options: LogOptions });

/**
 * A rule of the firewall: any rule, or one made by `reject`. To answer a sender takes more than XDP can do, so
 * `mitigate` does not take it.
 *
 * @example
 * const closed: FirewallRule = drop("telnet", expr`tcp.dstport == 23`);
 */
export type FirewallRule = Rule | RuleOf<"reject">;

/**
 * What happens to a packet in the end: `allow` sends it on, `drop` says nothing to its sender, `reject` does.
 *
 * @example
 * const verdict: Verdict = "drop";
 */
export type Verdict = "allow" | "drop" | "reject";

/**
 * The far end of a tunnel, and its outer header.
 *
 * @example
 * const chicago: TunnelOptions = { remote: "198.51.100.1", ttl: "inherit", dscp: 46, mss: 1400 };
 */
export interface TunnelOptions {
  /** The customer's router, an address outside the policy's prefixes: the outer destination, IPv4 or IPv6. */
  readonly remote: string;
  /** TTL (hop limit) of the outer header, 1 to 255, or "inherit": that of the packet inside. Default: 64. */
  readonly ttl?: number | "inherit";
  /**
   * Largest inner packet in bytes: at least 68, or 1280 if the policy has IPv6 prefixes or the tunnel is `ipip` over IPv4.
   * Default: 1500 bytes without the outer headers. These are 20 bytes of IPv4 or 40 of IPv6; `gre` adds 4, and a key 4 more.
   */
  readonly mtu?: number;
  /** DSCP of the outer header, 0 to 63, or "inherit": that of the packet inside. Default: "inherit". */
  readonly dscp?: number | "inherit";
  /**
   * Whether routers may cut up outer packets, over IPv4: "set" forbids it, "inherit" leaves it to the IPv4 packet inside, and
   * allows it around IPv6. Default: "set".
   */
  readonly df?: "set" | "inherit";
  /**
   * The MSS option of TCP connections through the tunnel, lowered where it is larger, in both directions: "clamp" to what fits
   * into `mtu`, a number to so many bytes, "keep" not at all. Default: "clamp".
   */
  readonly mss?: number | "clamp" | "keep";
  /** How each edge server asks whether the router lives; `{}` asks in the usual way, "off" never. Default: "off". */
  readonly health?: HealthOptions | "off";
}

/**
 * All that `gre` takes.
 *
 * @example
 * const chicago: GreOptions = { remote: "198.51.100.1", ttl: 64, mtu: 1472, key: 7 };
 */
export interface GreOptions extends TunnelOptions {
  /** GRE key (RFC 2890), 0 to 4294967295. Default: none. */
  readonly key?: number;
}

/**
 * How each edge server asks whether a tunnel's router lives. A dead one is left out until it answers again.
 *
 * @example
 * const health: HealthOptions = { target: "203.0.113.1", interval: "500ms", down: 4 };
 */
export interface HealthOptions {
  /**
   * Whom the probes go to, through the tunnel. Default: the tunnel's `remote`. With style "reply" it must be written: an
   * address of the policy's own prefixes, which the probes come from.
   */
  readonly target?: string;
  /** Whether the target is asked to answer, or the router has only to pass on what is an answer. Default: "request". */
  readonly style?: "request" | "reply";
  /** From one probe to the next: 100 ms to one minute. Default: "1s". */
  readonly interval?: Duration;
  /** When a probe without an answer is lost: 10 ms to 10 s. Default: "1s". */
  readonly timeout?: Duration;
  /** A dead tunnel lives again after so many answers in a row, 1 to 100. Default: 3. */
  readonly up?: number;
  /** A tunnel is dead after so many losses in a row, 1 to 100. Default: 3. */
  readonly down?: number;
}

/**
 * A time: a whole number of milliseconds, seconds or minutes.
 *
 * @example
 * const patience: Duration = "500ms";
 */
export type Duration = `${number}ms` | `${number}s` | `${number}m`;

/**
 * All that `ipip` takes.
 *
 * @example
 * const berlin: IpipOptions = { remote: "2001:db8:ffff::2", mtu: 1460 };
 */
export type IpipOptions = TunnelOptions;

/**
 * A tunnel to the customer's network, made by `gre` or `ipip`.
 *
 * @example
 * const chicago: Tunnel = gre({ remote: "198.51.100.1" });
 */
export type Tunnel = (GreOptions & { readonly kind: "gre" }) | (IpipOptions & { readonly kind: "ipip" });

/**
 * Where the firewall's drops are made: `auto` makes those that need no state already in XDP, `off` makes all of them in
 * your own network namespace. The firewall says the same in both.
 *
 * @example
 * const offload: Offload = "off";
 */
export type Offload = "auto" | "off";

/**
 * How allowed packets get from the edge server's network card into a tunnel. `namespace`: through your own network
 * namespace. `xdp`: plain packets at once, encapsulated in XDP and sent on from there, and only what needs the namespace
 * goes through it; the verdicts and the counters are the same. `auto` is `namespace` today.
 *
 * @example
 * const datapath: Datapath = "xdp";
 */
export type Datapath = "auto" | "namespace" | "xdp";

/**
 * What becomes of packets to a prefix while no tunnel lives that its routes lead into. `blackhole`: they are dropped at the
 * edge until one lives again. `use`: they go into the dead tunnels as if these lived, for a router may be well that does not
 * answer. A tunnel without `health` counts as live.
 *
 * @example
 * const noLiveTunnel: NoLiveTunnel = "use";
 */
export type NoLiveTunnel = "blackhole" | "use";

/**
 * The second stage: nftables in your own network namespace.
 *
 * @example
 * const closed: FirewallOptions = { default: "drop", rules: [allow("web", expr`tcp.dstport == 443`)] };
 */
export interface FirewallOptions {
  /** What happens to packets that no rule decides. There is no default for it: every choice would surprise someone. */
  readonly default: Verdict;
  /** In order: the first `allow`, `drop` or `reject` that matches decides. */
  readonly rules: readonly FirewallRule[];
  /**
   * Whether the firewall tracks connections, which `ct.state` needs. It then sees whole datagrams, not fragments. The
   * packets of one connection may come by several edge servers, and each of them tracks alone. Default: false.
   */
  readonly stateful?: boolean;
  /** Whether XDP drops what it can tell that the firewall drops, which costs far less. Default: "auto". */
  readonly offload?: Offload;
}

/**
 * Where the packets to a prefix go.
 *
 * @example
 * const home: RouteOptions = { prefix: "203.0.113.0/24", tunnel: "chicago", priority: 100 };
 */
export interface RouteOptions<TunnelName extends string = string> {
  /** Within the policy's prefixes. */
  readonly prefix: Prefix;
  /** A name in `tunnels`. */
  readonly tunnel: TunnelName;
  /** Lower is tried first among routes of one prefix, 0 to 4294967294, like the kernel's metric. Default: 100. */
  readonly priority?: number;
  /** Share of the traffic among routes of the same prefix and priority, 1 to 256. Default: 1. */
  readonly weight?: number;
}

/**
 * A packet that you promise a verdict for; `tidegate test` keeps the promise.
 *
 * @example
 * const promise: TestOptions = { packet: "udp 192.0.2.7:53 > 203.0.113.100:9", expect: "drop" };
 */
export interface TestOptions {
  /** As tcpdump would print it: "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S". */
  readonly packet: string;
  /** What happens to it in the end. */
  readonly expect: Verdict;
  /** The rule that decides. Default: any rule, or none. */
  readonly rule?: string;
}

/**
 * All that a policy says.
 *
 * @example
 * const options: PolicyOptions<"chicago"> = {
 *   customer: "acme",
 *   prefixes: ["203.0.113.0/24"],
 *   firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport in {80 443}`)] },
 *   tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
 *   routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
 * };
 * export default policy(options);
 */
export interface PolicyOptions<TunnelName extends string = string> {
  /** Your name: small letters, digits and `-`, a letter first, at most 32 characters. */
  readonly customer: string;
  /** What you announce through the edge, at least one. A policy sees packets to these prefixes only. */
  readonly prefixes: readonly Prefix[];
  /** Runs first, in XDP: the first `allow` or `drop` that matches ends the stage, else on to the firewall. Default: none. */
  readonly mitigate?: readonly Rule[];
  /** Runs second, in nftables inside your own network namespace. */
  readonly firewall: FirewallOptions;
  /** Whether allowed packets leave from XDP, without entering your namespace. Default: "auto". */
  readonly datapath?: Datapath;
  /** Tunnels by name; names are like the customer's. Default: none. */
  readonly tunnels?: Readonly<Record<TunnelName, Tunnel>>;
  /** Where clean packets go: the longest prefix, then the lowest priority. Without a route they are dropped. */
  readonly routes?: readonly RouteOptions<NoInfer<TunnelName>>[];
  /** What becomes of packets all of whose tunnels are dead. Default: "blackhole". */
  readonly noLiveTunnel?: NoLiveTunnel;
  /** Packets with the verdicts that you expect. Default: none. */
  readonly tests?: readonly TestOptions[];
}

/** A whole policy, made by `policy`. */
export interface Policy extends PolicyOptions {
  readonly kind: "policy";
}

/**
 * All that the operator's file says.
 *
 * @example
 * const options: EdgeOptions = {
 *   uplinks: ["eth0"],
 *   anycast: ["192.0.2.1"],
 *   owners: { acme: ["203.0.113.0/24"] },
 * };
 * export default edge(options);
 */
export interface EdgeOptions {
  /** Network devices that packets from the Internet come in by, at least one. */
  readonly uplinks: readonly string[];
  /** Outer source of all tunnels, the same on every server: at most one address of each family, and one at least. */
  readonly anycast: readonly string[];
  /** Which prefixes each customer may claim. */
  readonly owners: Readonly<Record<string, readonly string[]>>;
  /**
   * Who may sign bundles, by names of yours. Servers with keys take only bundles that one of them has signed; without
   * `keys` they take unsigned ones.
   */
  readonly keys?: Readonly<Record<string, TrustedKey>>;
}

/**
 * A public key that edge servers trust; `tidegate keygen` makes one and prints its line.
 *
 * @example
 * const release: TrustedKey = {
 *   key: "MCowBQYDK2VwAyEAqcoLbXUi0Ni2MI3T7mSJi7/Yb5pZllSMxdTwTEr1yzE=",
 *   customers: ["acme"],
 * };
 */
export interface TrustedKey {
  /** The Ed25519 public key, in base64: what stands between BEGIN and END in its `.pub` file. */
  readonly key: string;
  /** The customers whose bundles it may sign. Default: all. */
  readonly customers?: readonly string[];
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
 * const partners = list(["198.51.100.0/24", "192.0.2.7", "2001:db8:7::/48"]);
 * const rule = allow("partners", expr`ip.src in ${partners}`);
 */
export function list(items: readonly string[]): List {
  return { kind: "list", items };
}

/**
 * A filter expression. Values in `${…}` become typed values of the expression, never text of it.
 *
 * @example
 * const server = "203.0.113.100";
 * const ftp = expr`ip.dst == ${server} and tcp.dstport in {20..21}`;
 */
export function expr(text: TemplateStringsArray, ...values: readonly Interpolable[]): Expr {
  return { kind: "expr", text: text.raw, values };
}

/**
 * Lets packets go on, and ends the stage: from `mitigate` to the firewall, from the firewall to the routes.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * allow("ftp", expr`tcp.dstport in {20..21}`)
 */
export function allow(name: string, match: Expr): Rule {
  return { kind: "rule", action: "allow", name, match };
}

/**
 * Drops packets, without a word to their sender.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * drop("bogons", expr`ip.src in {10.0.0.0/8 192.168.0.0/16}`)
 */
export function drop(name: string, match: Expr): Rule {
  return { kind: "rule", action: "drop", name, match };
}

/**
 * Drops packets and tells their sender: a reset for TCP, an ICMP error for the rest. In the firewall only.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * reject("ident", expr`tcp.dstport == 113`)
 */
export function reject(name: string, match: Expr): FirewallRule {
  return { kind: "rule", action: "reject", name, match };
}

/**
 * Drops packets over a rate. Packets under it go on to the next rule.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * limit("syn-flood", expr`tcp.flags.syn and not tcp.flags.ack`, { rate: "5000/s", burst: 10_000, per: "ip.src" })
 */
export function limit(name: string, match: Expr, options: LimitOptions): Rule {
  return { kind: "rule", action: "limit", name, match, options };
}

/**
 * Counts packets under its name. They go on to the next rule.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * count("dns-answers", expr`udp.srcport == 53`)
 */
export function count(name: string, match: Expr): Rule {
  return { kind: "rule", action: "count", name, match };
}

/**
 * Counts packets and logs one in `sample` of them, by default one in 100. They go on to the next rule.
 *
 * @param name small letters, digits and `-`, a letter first, at most 32 characters, unique in the policy
 * @example
 * log("telnet", expr`tcp.dstport == 23`, { sample: 10 })
 */
export function log(name: string, match: Expr, options: LogOptions = {}): Rule {
  return { kind: "rule", action: "log", name, match, options };
}

/**
 * A GRE tunnel (RFC 2784) from the edge's anycast address of the remote's family. Its name is the property of `tunnels`
 * that holds it.
 *
 * @example
 * gre({ remote: "198.51.100.1", ttl: 64, mtu: 1476 })
 */
export function gre(options: GreOptions): Tunnel {
  return { kind: "gre", ...options };
}

/**
 * A tunnel of IP in IP (RFC 2003, RFC 4213, RFC 2473): 4 bytes less a packet than `gre`, and no key.
 *
 * @example
 * ipip({ remote: "198.51.100.1" })
 */
export function ipip(options: IpipOptions): Tunnel {
  return { kind: "ipip", ...options };
}
