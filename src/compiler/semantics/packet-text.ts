import { didYouMean } from "../diagnostics/did-you-mean.js";
import { type Address, type Family, parseAddress } from "../ir/address.js";
import { ALONE, type Surroundings } from "./decode.js";
import { buildPacket, ipHeaderLength, type PacketSpec, type TransportSpec } from "./packet-bytes.js";
import {
  type PacketProblem,
  Problems,
  readConnection,
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

/** What a packet's text says. */
interface WrittenPacket {
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  /** When it arrives, in nanoseconds, where the text has `at=`. */
  readonly at: bigint | null;
}

export type ParsedPacket =
  | ({ readonly kind: "packet" } & WrittenPacket)
  | { readonly kind: "problems"; readonly problems: readonly PacketProblem[] };

type Protocol = "tcp" | "udp" | "icmp" | "icmp6" | "other";

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const satisfies Partial<
  Record<Protocol, number>
>;

/** What is said beside the bytes. */
const BESIDE_KEYS = ["vlan", "ct", "at"];
const COMMON_KEYS = ["ttl", "len", "dscp", "id", "frag", "payload", ...BESIDE_KEYS];
const KEYS: Readonly<Record<Protocol, readonly string[]>> = {
  tcp: [...COMMON_KEYS, "flags"],
  udp: COMMON_KEYS,
  icmp: [...COMMON_KEYS, "type", "code"],
  icmp6: [...COMMON_KEYS, "type", "code"],
  other: COMMON_KEYS,
};

const DEFAULT_TTL = 64;
/** A VLAN ID has 12 bits (802.1Q). */
const LARGEST_VLAN = 4095;

/**
 * Reads a packet as text, such as `tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=SA ttl=64`,
 * `udp [2001:db8::7]:53 > [2001:db8:1::1]:9`, `icmp A > B type=8 code=0`, `proto=47 A > B` or `hex=45000…`.
 * What is not written is zero, but the TTL 64 and ICMP's type that of an echo request; it has no VLAN tag and opens a
 * connection. `#` starts a comment. `frag=` is in bytes; on a later fragment the ports may be left out, and then only the
 * payload follows. docs/packets.md has it all.
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

function readHexPacket(first: Word, rest: readonly Word[], problems: Problems): WrittenPacket | undefined {
  const bytes = readHex(valueAfterEquals(first), problems);
  const options = readOptions(rest, BESIDE_KEYS, problems);
  return bytes && { bytes, ...readBeside(options, problems) };
}

function readBeside(
  options: ReadonlyMap<string, Word>,
  problems: Problems,
): Pick<WrittenPacket, "surroundings" | "at"> {
  return {
    surroundings: {
      vlan: readNumber(options.get("vlan"), LARGEST_VLAN, problems) ?? ALONE.vlan,
      connection: readConnection(options.get("ct"), problems) ?? ALONE.connection,
    },
    at: readTime(options.get("at"), problems),
  };
}

function readPacket(first: Word, rest: readonly Word[], problems: Problems): WrittenPacket | undefined {
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
  if (problems.found.length === 0) checkFamily(first, protocol.name, from.address.family, problems);
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
  const beside = readBeside(options, problems);
  return problems.found.length > 0 ? undefined : { bytes: buildPacket(spec), ...beside };
}

/** Each family has an ICMP of its own; the number of the other's is no ICMP in it. */
function checkFamily(word: Word, protocol: Protocol, family: Family, problems: Problems): void {
  if (protocol === "icmp" && family === 6)
    problems.at(word, "IPv6 has an ICMP of its own: write `icmp6`, or `proto=1` for the bare number");
  if (protocol === "icmp6" && family === 4)
    problems.at(word, "ICMPv6 belongs to IPv6: write `icmp`, or `proto=58` for the bare number");
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
