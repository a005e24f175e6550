import { didYouMean } from "../diagnostics/did-you-mean.js";
import { type Address, parseAddress } from "../ir/address.js";
import { buildPacket, ipHeaderLength, type PacketSpec, type TransportSpec } from "./packet-bytes.js";
import {
  type PacketProblem,
  Problems,
  readFlags,
  readFragment,
  readHex,
  readId,
  readLength,
  readNumber,
  readPayload,
  readTime,
  valueAfterEquals,
  type Word,
} from "./packet-values.js";

export type { PacketProblem } from "./packet-values.js";

export type ParsedPacket =
  /** `bytes` from the IP header on; `at` in nanoseconds, where the text has `at=`. */
  | { readonly kind: "packet"; readonly bytes: Uint8Array; readonly at: bigint | null }
  | { readonly kind: "problems"; readonly problems: readonly PacketProblem[] };

type Protocol = "tcp" | "udp" | "icmp" | "icmp6" | "other";

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const satisfies Partial<
  Record<Protocol, number>
>;

const COMMON_KEYS = ["ttl", "len", "dscp", "id", "frag", "payload", "at"];
const KEYS: Readonly<Record<Protocol, readonly string[]>> = {
  tcp: [...COMMON_KEYS, "flags"],
  udp: COMMON_KEYS,
  icmp: [...COMMON_KEYS, "type", "code"],
  icmp6: [...COMMON_KEYS, "type", "code"],
  other: COMMON_KEYS,
};

const DEFAULT_TTL = 64;

/**
 * Reads a packet as text, such as `tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=SA ttl=64`,
 * `udp [2001:db8::7]:53 > [2001:db8:1::1]:9`, `icmp A > B type=8 code=0`, `proto=47 A > B` or `hex=45000…`.
 * What is not written is zero, but the TTL 64 and ICMP's type that of an echo request. `#` starts a comment.
 * `frag=` is in bytes; on a later fragment the ports may be left out, and then only the payload follows.
 */
export function parsePacket(text: string): ParsedPacket {
  const problems = new Problems();
  const words = [...text.replace(/#.*$/s, "").matchAll(/\S+/g)].map((m) => ({ text: m[0], start: m.index }));
  const [first, ...rest] = words;
  const packet =
    first === undefined
      ? problems.at(
          { text, start: 0 },
          "there is no packet here: write one such as `udp 192.0.2.7:53 > 203.0.113.9:9`",
        )
      : first.text.startsWith("hex=")
        ? readHexPacket(first, rest, problems)
        : readPacket(first, rest, problems);
  if (packet === undefined || problems.found.length > 0)
    return { kind: "problems", problems: problems.found };
  return { kind: "packet", ...packet };
}

interface Bytes {
  readonly bytes: Uint8Array;
  readonly at: bigint | null;
}

function readHexPacket(first: Word, rest: readonly Word[], problems: Problems): Bytes | undefined {
  const bytes = readHex(valueAfterEquals(first), problems);
  const options = readOptions(rest, ["at"], problems);
  return bytes && { bytes, at: readTime(options.get("at"), problems) };
}

function readPacket(first: Word, rest: readonly Word[], problems: Problems): Bytes | undefined {
  const protocol = readProtocol(first, problems);
  const [source, arrow, destination, ...tail] = rest;
  if (protocol === undefined) return undefined;
  if (!source || !destination || arrow?.text !== ">") {
    return problems.at(arrow ?? source ?? first, "expected `SOURCE > DESTINATION`, with spaces around `>`");
  }
  const options = readOptions(tail, KEYS[protocol.name], problems);
  const from = readEndpoint(source, problems);
  const to = readEndpoint(destination, problems);
  if (problems.found.length === 0 && from.address.family !== to.address.family) {
    problems.at(destination, "source and destination are of different families");
  }
  const fragment = readFragment(options.get("frag"), problems);
  const transport = readTransport(protocol.name, from, to, fragment, options, problems);
  const spec: PacketSpec = {
    protocol: protocol.number,
    source: from.address,
    destination: to.address,
    transport: transport ?? { kind: "none" },
    payload: readPayload(options.get("payload"), problems),
    ttl: readNumber(options.get("ttl"), 255, problems) ?? DEFAULT_TTL,
    dscp: readNumber(options.get("dscp"), 63, problems) ?? 0,
    id: readId(options.get("id"), from.address, fragment, problems),
    fragment,
    length: readLength(options.get("len"), ipHeaderLength({ source: from.address, fragment }), problems),
  };
  const at = readTime(options.get("at"), problems);
  return problems.found.length > 0 ? undefined : { bytes: buildPacket(spec), at };
}

function readProtocol(word: Word, problems: Problems): { name: Protocol; number: number } | undefined {
  if (word.text.startsWith("proto=")) {
    const number = readNumber(valueAfterEquals(word), 255, problems);
    return number === undefined ? undefined : { name: "other", number };
  }
  for (const [name, number] of Object.entries(PROTOCOL_NUMBERS)) {
    if (name === word.text) return { name: name as keyof typeof PROTOCOL_NUMBERS, number };
  }
  const hint =
    didYouMean(word.text, Object.keys(PROTOCOL_NUMBERS)) ??
    "write tcp, udp, icmp, icmp6, proto=N or hex=BYTES";
  return problems.at(word, `unknown protocol \`${word.text}\`: ${hint}`);
}

interface Endpoint {
  readonly word: Word;
  readonly address: Address;
  readonly port: number | null;
}

/** `A`, `A:PORT` or `[A]:PORT`; a bare IPv6 address has no port. A mistake is noted and read as zeros. */
function readEndpoint(word: Word, problems: Problems): Endpoint {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,6}))?$/.exec(word.text);
  const dotted = /^([^:]*):(\d{1,6})$/.exec(word.text);
  const [, host = word.text, portText] = bracketed ?? dotted ?? [];
  const port = portText === undefined ? null : Number(portText);
  const address = parseAddress(host);
  if (!address) {
    problems.at(word, `\`${word.text}\` is not an address, \`ADDRESS:PORT\` or \`[IPV6]:PORT\``);
  } else if (port !== null && port > 0xffff) {
    problems.at(word, `port ${port} is larger than 65535`);
  }
  return { word, address: address ?? { family: 4, value: 0n }, port };
}

function readTransport(
  protocol: Protocol,
  from: Endpoint,
  to: Endpoint,
  fragment: PacketSpec["fragment"],
  options: ReadonlyMap<string, Word>,
  problems: Problems,
): TransportSpec | undefined {
  if (protocol === "icmp" || protocol === "icmp6" || protocol === "other") {
    for (const { word, port } of [from, to])
      if (port !== null) problems.at(word, "only tcp and udp have ports");
    if (protocol === "other") return { kind: "none" };
    const type = readNumber(options.get("type"), 255, problems) ?? (protocol === "icmp" ? 8 : 128);
    return { kind: protocol, type, code: readNumber(options.get("code"), 255, problems) ?? 0 };
  }
  const flags = readFlags(options.get("flags"), problems);
  if (from.port === null && to.port === null && fragment !== null && fragment.offset > 0)
    return { kind: "none" };
  if (from.port === null) return problems.at(from.word, `${protocol} needs a port: write \`ADDRESS:PORT\``);
  if (to.port === null) return problems.at(to.word, `${protocol} needs a port: write \`ADDRESS:PORT\``);
  const ports = { sourcePort: from.port, destinationPort: to.port };
  return protocol === "tcp" ? { kind: "tcp", ...ports, flags } : { kind: "udp", ...ports };
}

/** `key=value` words by key; each word in the map is the value alone. */
function readOptions(
  words: readonly Word[],
  keys: readonly string[],
  problems: Problems,
): ReadonlyMap<string, Word> {
  const options = new Map<string, Word>();
  for (const word of words) {
    const key = word.text.replace(/=.*$/s, "");
    if (key === word.text) problems.at(word, `expected \`KEY=VALUE\`; the keys here are ${keys.join(", ")}`);
    else if (!keys.includes(key)) {
      problems.at(
        word,
        `unknown key \`${key}\`: ${didYouMean(key, keys) ?? `the keys here are ${keys.join(", ")}`}`,
      );
    } else if (options.has(key)) problems.at(word, `\`${key}=\` is given twice`);
    else options.set(key, valueAfterEquals(word));
  }
  return options;
}
