import type { Manifest } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import { addressBytes, familyOf, parsePrefix } from "../prefix.js";

/**
 * What lines of ip(8) in a bundle may be made of. Some of them run in the node's own namespace, and `ip -batch` knows
 * `netns exec` and `link set … xdp object`, too: a signature should not be worth more than what a compiler ever writes.
 */
const WORDS: ReadonlySet<string> = new Set([
  ...["route", "add", "blackhole", "dev", "nhid", "metric", "table", "$table"],
  ...["nexthop", "id", "group", "resilient", "buckets", "idle_timer", "unbalanced_timer"],
  ...["link", "set", "type", "veth", "peer", "name", "netns", "address", "mtu", "up"],
  ...["local", "remote", "key", "ttl", "tos", "hoplimit", "tclass", "inherit"],
  ...["pmtudisc", "nopmtudisc", "encaplimit", "mode", "any"],
  ...["arp", "off", "addrgenmode", "none"],
]);

const NUMBER = /^\d{1,10}$/;
/** A nexthop's number, in those of the generation's table, and a group of them with their weights. */
const NEXTHOP = /^\$table\d{6}$/;
const GROUP = /^\$table\d{6},\d{1,3}(?:\/\$table\d{6},\d{1,3})*$/;
/** The octet of DSCP and ECN. */
const OCTET = /^0x[0-9a-f]{2}$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** nft(8) reads other files at `include`, wherever a statement may begin. */
const INCLUDE = /(?:^|[;{}])\s*include\b/;

/** Throws TG5025 for a text that would make ip(8) or nft(8) do something else than a compiler's text does. */
export function checkTexts(manifest: Manifest, texts: Iterable<readonly [string, Buffer]>): void {
  for (const [file, bytes] of texts) {
    if (file.endsWith(".nft")) refuse(file, bytes, (line) => INCLUDE.test(line));
    if (!file.endsWith(".ip")) continue;
    const grammar = grammarOf(file, manifest);
    refuse(file, bytes, (line) => !isPlainIp(line, grammar));
  }
}

/** With a number that is the generation's own: one without would be in the way of others. */
const ROUTE_OR_GROUP = /^(?:route add |nexthop add id \$table\d{6} group )/;
const NEXTHOP_LINE = /^nexthop add id \$table\d{6} dev /;

/** What the lines of one file are about, the words that must follow these words, and what else holds of each line. */
interface Grammar {
  readonly subject: RegExp;
  readonly followers: ReadonlyMap<string, readonly string[]>;
  readonly holds: (words: readonly string[]) => boolean;
}

/** A device of the customer's namespace may be called like one of the node's: only its own files may speak of it. */
function grammarOf(file: string, { customer, namespace, tunnels }: Manifest): Grammar | undefined {
  const devices = new Map([["dev", tunnels.map(({ device }) => device)]]);
  if (file === `route/${customer}.ip`)
    return { subject: ROUTE_OR_GROUP, followers: devices, holds: () => true };
  if (file === `route/${customer}.nexthops4.ip` || file === `route/${customer}.nexthops6.ip`)
    return { subject: NEXTHOP_LINE, followers: devices, holds: () => true };
  const tunnel = tunnels.find(({ name }) => file.startsWith(`route/${customer}.${name}.`));
  if (!tunnel) return undefined;
  const end = file.endsWith(".up.ip") ? tunnel.device : tunnel.peer;
  const family = familyOf(tunnel.remote);
  const followers = new Map([
    ["dev", [end]],
    ["name", [tunnel.device]],
    ["netns", [namespace]],
    ["type", [DEVICE_TYPES[tunnel.kind][family], "veth"]],
    ["local", [`$anycast${family}`]],
    ["remote", [tunnel.remote]],
    ["key", tunnel.key === null ? [] : [`${tunnel.key}`]],
  ]);
  const subject = file.endsWith(".up.ip") ? /^link set dev / : /^link (?:add|set) dev /;
  return { subject, followers, holds: (words) => !makesTunnel(words) || isWholeEndpoint(words, tunnel) };
}

/** The kernel's device for a tunnel, by the family of the outer header. */
const DEVICE_TYPES = { gre: { 4: "gre", 6: "ip6gre" }, ipip: { 4: "sit", 6: "ip6tnl" } } as const;

function makesTunnel(words: readonly string[]): boolean {
  return words.some((word, index) => word === "type" && words[index + 1] !== "veth");
}

/** A device without remote or key would get packets that others' tunnels have left over. */
function isWholeEndpoint(words: readonly string[], tunnel: Manifest["tunnels"][number]): boolean {
  return (
    ["local", "remote"].every((word) => words.includes(word)) &&
    words.includes("key") === (tunnel.key !== null)
  );
}

function refuse(file: string, bytes: Buffer, isBad: (line: string) => boolean): void {
  const lines = bytes.toString().split("\n");
  const index = lines.findIndex(isBad);
  if (index < 0) return;
  const text = lines[index]?.trim().slice(0, SHOWN) ?? "";
  throw failure(
    "TG5025",
    { file, line: `${index + 1}`, text },
    "compile the policy again; never edit a bundle",
  );
}

/** Characters of a bad line that a message shows. */
const SHOWN = 80;

function isPlainIp(line: string, grammar: Grammar | undefined): boolean {
  if (line === "" || line.startsWith("#")) return true;
  if (!grammar?.subject.test(line)) return false;
  const words = line.split(" ");
  const isPlain = words.every((word, index) =>
    isPlainWord(word, grammar.followers.get(words[index - 1] ?? "")),
  );
  return isPlain && grammar.holds(words);
}

/** `allowed`: the only words that may stand here. */
function isPlainWord(word: string, allowed: readonly string[] | undefined): boolean {
  if (allowed) return allowed.includes(word);
  if (WORDS.has(word) || NUMBER.test(word) || OCTET.test(word) || MAC.test(word)) return true;
  if (NEXTHOP.test(word) || GROUP.test(word)) return true;
  return addressBytes(word) !== undefined || parsePrefix(word) !== undefined;
}
