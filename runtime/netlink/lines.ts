import { type Prefix, parsePrefix } from "../prefix.js";
import { addGre, addVeth, changeGre, type GreDevice, moveLink, setLink, type VethEnd } from "./link.js";
import type { Family, Request } from "./network.js";
import { addGroup, addNexthop, type Member } from "./nexthop.js";
import { addRoute, type Route } from "./route.js";

/**
 * The lines of ip(8) in a bundle (`src/targets/route`), with all that a node puts into them, as requests. They are those that
 * runtime/trust/texts.ts lets in, and `link change` of the runtime's own (gre/text.ts); throws for any other. `family`: of what does not say it itself.
 */
export function readLines(text: string, family: Family = 4): readonly Request[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .flatMap((line) => readLine(line, family));
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
      return [route(options)];
    case "nexthop add":
      return [nexthop(options, family)];
    case "link add":
      return [newLink(options)];
    case "link change":
      return [changedGre(options)];
    case "link set":
      return changedLink(options);
    default:
      return options.refuse();
  }
}

function route(options: Options): Request {
  const isBlackhole = options.has("blackhole");
  const to = options.prefix();
  const by = isBlackhole ? "blackhole" : way(options);
  return addRoute({ to, by, metric: options.number("metric"), table: options.number("table") });
}

function way(options: Options): Exclude<Route["by"], "blackhole"> {
  return options.has("nhid") ? { nexthop: options.nextNumber() } : { device: options.text("dev") };
}

function nexthop(options: Options, family: Family): Request {
  const id = options.number("id");
  if (options.has("dev")) return addNexthop(family, id, options.next());
  const members = options
    .text("group")
    .split("/")
    .map((text) => readMember(text, options));
  options.expect("type");
  options.expect("resilient");
  const buckets = options.number("buckets");
  const idleTimer = options.number("idle_timer");
  return addGroup({ id, members, buckets, idleTimer, unbalancedTimer: options.number("unbalanced_timer") });
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
  if (options.has("gre")) return addGre(greDevice(name, options));
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

function changedGre(options: Options): Request {
  const name = options.text("dev");
  options.expect("type");
  options.expect("gre");
  return changeGre(greDevice(name, options));
}

function greDevice(name: string, options: Options): GreDevice {
  const local = options.text("local");
  const remote = options.text("remote");
  const ttl = options.number("ttl");
  for (const word of ["tos", "inherit", "pmtudisc"]) options.expect(word);
  return { name, local, remote, ttl, key: options.has("key") ? options.nextNumber() : null };
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

  prefix(): Prefix {
    return parsePrefix(this.next()) ?? this.refuse();
  }

  end(): void {
    if (this.#words.length > 0) this.refuse();
  }
}
