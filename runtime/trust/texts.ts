import type { Manifest } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import { addressBytes, parsePrefix } from "../prefix.js";

/**
 * What lines of ip(8) in a bundle may be made of. Some of them run in the node's own namespace, and `ip -batch` knows
 * `netns exec` and `link set … xdp object`, too: a signature should not be worth more than what a compiler ever writes.
 */
const WORDS: ReadonlySet<string> = new Set([
  ...["route", "add", "blackhole", "dev", "metric", "table", "$table"],
  ...["link", "set", "type", "gre", "veth", "peer", "name", "netns", "address", "mtu", "up"],
  ...["local", "$anycast4", "remote", "ttl", "tos", "inherit", "pmtudisc", "key"],
  ...["arp", "off", "addrgenmode", "none"],
]);

const NUMBER = /^\d{1,10}$/;
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

/** What the lines of one file are about, and the names that may follow these words. */
interface Grammar {
  readonly subject: RegExp;
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** A device of the customer's namespace may be called like one of the node's: only its own files may speak of it. */
function grammarOf(file: string, { customer, namespace, tunnels }: Manifest): Grammar {
  const devices = tunnels.map(({ device }) => device);
  const peers = tunnels.map(({ peer }) => peer);
  const names = (dev: readonly string[]) =>
    new Map([
      ["dev", dev],
      ["name", devices],
      ["netns", [namespace]],
    ]);
  if (file === `route/${customer}.ip`) return { subject: /^route add /, names: names(devices) };
  if (file.endsWith(".up.ip")) return { subject: /^link set dev /, names: names(devices) };
  return { subject: /^link (?:add|set) dev /, names: names(peers) };
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

function isPlainIp(line: string, { subject, names }: Grammar): boolean {
  if (line === "" || line.startsWith("#")) return true;
  const words = line.split(" ");
  return (
    subject.test(line) && words.every((word, index) => isPlainWord(word, names.get(words[index - 1] ?? "")))
  );
}

/** `allowed`: the only words that may stand here. */
function isPlainWord(word: string, allowed: readonly string[] | undefined): boolean {
  if (allowed) return allowed.includes(word);
  if (WORDS.has(word) || NUMBER.test(word) || MAC.test(word)) return true;
  return addressBytes(word) !== undefined || parsePrefix(word) !== undefined;
}
