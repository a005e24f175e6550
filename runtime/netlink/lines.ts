import { type Prefix, parsePrefix } from "../prefix.js";
import { addVeth, moveLink, setLink, type VethEnd } from "./link.js";
import type { Family, Request } from "./network.js";
import { addGroup, addNexthop, type Member, type ResilientGroup, replaceGroup } from "./nexthop.js";
import { addRoute, type Route, replaceRoute } from "./route.js";
import { addTunnel, type TunnelDevice, type TunnelDeviceType } from "./tunnel.js";

/**
 * The lines of ip(8) in a bundle (`src/targets/route`), with all that a node puts into them, as requests. They are those that
 * runtime/trust/texts.ts lets in; throws for any other. `family`: of what does not say it itself.
 */
export function readLines(text: string, family: Family = 4): readonly Request[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .flatMap((line) => readLine(line, family));
}

/** Lines of routes and groups, read as those that take the place of what has their prefix and metric, or their number. */
export function readReplacing(lines: readonly string[]): readonly Request[] {
  return lines.map((line) => {
    const [object, , ...words] = line.split(" ");
    const options = new Options(line, words);
    const request =
      object === "route" ? replaceRoute(route(options)) : replaceGroup(group(options.number("id"), options));
    options.end();
    return request;
  });
}

/** What a line of a route says. */
export function readRoute(line: string): Route {
  const [, , ...words] = line.split(" ");
  return route(new Options(line, words));
}

/** What a line that makes a tunnel's device says of it. */
export function readTunnel(line: string): TunnelDevice {
  const [, , ...words] = line.split(" ");
  const options = new Options(line, words);
  const name = options.text("dev");
  options.expect("type");
  const type = TUNNEL_TYPES.find((one) => options.has(one)) ?? options.refuse();
  return tunnelDevice(name, type, options);
}

function readLine(line: string, family: Family): readonly Request[] {
  const [object, verb, ...words] = line.split(" ");
  const options = new Options(line, words);
  const requests = read(`${object} ${verb}`, options, family);
  options.end();
  return requests;
}

function read(what: string, options: Options, family: Family): readonly Request[] {
  switch (what) {
    case "route add":
      return [addRoute(route(options))];
    case "nexthop add":
      return [nexthop(options, family)];
    case "link add":
      return [newLink(options)];
    case "link set":
      return changedLink(options);
    default:
      return options.refuse();
  }
}

function route(options: Options): Route {
  const isBlackhole = options.has("blackhole");
  const to = options.prefix();
  const by = isBlackhole ? "blackhole" : way(options);
  return { to, by, metric: options.number("metric"), table: options.number("table") };
}

function way(options: Options): Exclude<Route["by"], "blackhole"> {
  return options.has("nhid") ? { nexthop: options.nextNumber() } : { device: options.text("dev") };
}

function nexthop(options: Options, family: Family): Request {
  const id = options.number("id");
  return options.has("dev") ? addNexthop(family, id, options.next()) : addGroup(group(id, options));
}

function group(id: number, options: Options): ResilientGroup {
  const members = options
    .text("group")
    .split("/")
    .map((text) => readMember(text, options));
  options.expect("type");
  options.expect("resilient");
  const buckets = options.number("buckets");
  const idleTimer = options.number("idle_timer");
  return { id, members, buckets, idleTimer, unbalancedTimer: options.number("unbalanced_timer") };
}

function readMember(text: string, options: Options): Member {
  const [, id, weight] = /^(\d{1,10}),(\d{1,3})$/.exec(text) ?? options.refuse();
  return { id: Number(id), weight: Number(weight) };
}

function newLink(options: Options): Request {
  const name = options.text("dev");
  // A veth pair says of either end what it is like.
  const near = end(name, options);
  options.expect("type");
  const type = TUNNEL_TYPES.find((one) => options.has(one));
  if (type) return addTunnel(tunnelDevice(name, type, options));
  options.expect("veth");
  options.expect("peer");
  const peer = options.text("name");
  const namespace = options.text("netns");
  return addVeth(near, end(peer, options), namespace);
}

function end(name: string, options: Options): VethEnd {
  const mtu = options.has("mtu") ? options.nextNumber() : undefined;
  return { name, mtu, mac: options.has("address") ? options.next() : undefined };
}

const TUNNEL_TYPES = ["gre", "ip6gre", "sit", "ip6tnl"] as const satisfies readonly TunnelDeviceType[];

function tunnelDevice(name: string, type: TunnelDeviceType, options: Options): TunnelDevice {
  if (type === "sit" || type === "ip6tnl") for (const word of ["mode", "any"]) options.expect(word);
  const ends = { name, type, local: options.text("local"), remote: options.text("remote") };
  const header = type === "ip6gre" || type === "ip6tnl" ? overIpv6(options) : overIpv4(options);
  return { ...ends, ...header, key: options.has("key") ? options.nextNumber() : null };
}

function overIpv4(options: Options): Pick<TunnelDevice, "ttl" | "trafficClass" | "inheritDf"> {
  const ttl = options.inherit("ttl", () => options.nextNumber());
  const trafficClass = options.inherit("tos", () => options.nextOctet());
  const inheritDf = options.has("nopmtudisc");
  if (!inheritDf) options.expect("pmtudisc");
  return { ttl, trafficClass, inheritDf };
}

function overIpv6(options: Options): Pick<TunnelDevice, "ttl" | "trafficClass" | "inheritDf"> {
  const ttl = options.inherit("hoplimit", () => options.nextNumber());
  const trafficClass = options.inherit("tclass", () => options.nextOctet());
  options.expect("encaplimit");
  options.expect("none");
  return { ttl, trafficClass, inheritDf: false };
}

function changedLink(options: Options): readonly Request[] {
  const device = options.text("dev");
  if (options.has("netns")) {
    const namespace = options.next();
    return [moveLink(device, namespace, options.text("name"))];
  }
  const mtu = options.has("mtu") ? options.nextNumber() : undefined;
  options.expect("arp");
  options.expect("off");
  const noAddress = options.has("addrgenmode");
  if (noAddress) options.expect("none");
  options.expect("up");
  // In one request the kernel would bring it up first, and make up an address (do_setlink).
  return [setLink(device, { mtu, noArp: true, noAddress }), setLink(device, { up: true })];
}

/** The words of a line that have not been read yet. The compiler always writes them in the same order. */
class Options {
  readonly #line: string;
  readonly #words: string[];

  constructor(line: string, words: readonly string[]) {
    this.#line = line;
    this.#words = [...words];
  }

  refuse(): never {
    throw new Error(`\`${this.#line}\` is no line of a bundle`);
  }

  /** Reads the word if it is the next one. */
  has(word: string): boolean {
    if (this.#words[0] !== word) return false;
    this.#words.shift();
    return true;
  }

  expect(word: string): void {
    if (!this.has(word)) this.refuse();
  }

  next(): string {
    return this.#words.shift() ?? this.refuse();
  }

  nextNumber(): number {
    const word = this.next();
    return /^\d{1,10}$/.test(word) ? Number(word) : this.refuse();
  }

  /** The value behind a word. */
  text(word: string): string {
    this.expect(word);
    return this.next();
  }

  number(word: string): number {
    this.expect(word);
    return this.nextNumber();
  }

  /** An octet as the compiler writes it, in hexadecimal. */
  nextOctet(): number {
    const word = this.next();
    return /^0x[0-9a-f]{2}$/.test(word) ? Number(word) : this.refuse();
  }

  /** The value behind a word, which may be that the packet inside has it. */
  inherit(word: string, value: () => number): number | "inherit" {
    this.expect(word);
    return this.has("inherit") ? "inherit" : value();
  }

  prefix(): Prefix {
    return parsePrefix(this.next()) ?? this.refuse();
  }

  end(): void {
    if (this.#words.length > 0) this.refuse();
  }
}
