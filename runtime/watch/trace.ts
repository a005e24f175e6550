/** One message of a trace of nf_tables: a rule that a packet matched, or the policy of a chain that it came to the end of. */
export interface TraceMessage {
  /** The same in all messages of a packet. */
  readonly id: number;
  readonly kind: "policy" | "return" | "rule";
  readonly table: string;
  readonly chain: string;
  /** Of the rule; 0n: none. */
  readonly handle: bigint;
  /** NF_DROP and NF_ACCEPT end a packet's way through the chains of a hook; all else leads on. */
  readonly verdict: "drop" | "accept" | "continue" | "jump" | "goto" | "return" | "other";
  /** In the first message of each chain that the kernel enters: Ethernet header, and what it shows of the packet behind it. */
  readonly packet: { readonly ethernet: Uint8Array; readonly bytes: Uint8Array } | null;
}

/** enum nft_trace_attributes, enum nft_verdict_attributes (linux/netfilter/nf_tables.h). */
const ATTRIBUTE = {
  table: 1,
  chain: 2,
  handle: 3,
  type: 4,
  verdict: 5,
  id: 6,
  ethernet: 7,
  network: 8,
  transport: 9,
  policy: 16,
} as const;
const VERDICT_CODE = 1;

/** enum nft_trace_types. */
const KINDS = [undefined, "policy", "return", "rule"] as const;

const VERDICTS: ReadonlyMap<number, TraceMessage["verdict"]> = new Map([
  [0, "drop"],
  [1, "accept"],
  [-1, "continue"],
  [-3, "jump"],
  [-4, "goto"],
  [-5, "return"],
]);

/** Reads the attributes of a message; undefined where it is none that we know. */
export function readTrace(bytes: Buffer): TraceMessage | undefined {
  const found = attributes(bytes);
  const kind = KINDS[number(found.get(ATTRIBUTE.type))];
  const [table, chain] = [text(found.get(ATTRIBUTE.table)), text(found.get(ATTRIBUTE.chain))];
  if (!kind || table === "" || chain === "") return undefined;
  return {
    id: number(found.get(ATTRIBUTE.id)),
    kind,
    table,
    chain,
    handle: handleOf(found.get(ATTRIBUTE.handle)),
    verdict: verdictOf(kind, found),
    packet: packetOf(found),
  };
}

/** A chain's policy is a verdict without its nest. */
function verdictOf(kind: TraceMessage["kind"], found: ReadonlyMap<number, Buffer>): TraceMessage["verdict"] {
  const nest = found.get(ATTRIBUTE.verdict);
  const code = kind === "policy" ? found.get(ATTRIBUTE.policy) : nest && attributes(nest).get(VERDICT_CODE);
  return (code && code.length >= 4 ? VERDICTS.get(code.readInt32BE()) : undefined) ?? "other";
}

/** The kernel shows the network header as far as the transport header, and that; up to 40 and 20 bytes. */
function packetOf(found: ReadonlyMap<number, Buffer>): TraceMessage["packet"] {
  const network = found.get(ATTRIBUTE.network);
  if (!network) return null;
  const transport = found.get(ATTRIBUTE.transport) ?? Buffer.alloc(0);
  const isWhole = network.length < MOST_NETWORK || isPlainIpv6(network);
  return {
    ethernet: found.get(ATTRIBUTE.ethernet) ?? Buffer.alloc(0),
    bytes: isWhole ? Buffer.concat([network, transport]) : network,
  };
}

const MOST_NETWORK = 40;

/** TCP, UDP, ICMPv6, GRE: its 40 bytes are all that is before the transport header. */
function isPlainIpv6(network: Uint8Array): boolean {
  return (network[0] ?? 0) >> 4 === 6 && [6, 17, 58, 47].includes(network[6] ?? 0);
}

const ATTRIBUTE_HEAD = 4;
/** NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;

/** Attributes of netlink (struct nlattr) by type. */
function attributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEAD <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE_HEAD || at + length > bytes.length) break;
    found.set(bytes.readUInt16LE(at + 2) & TYPE_MASK, bytes.subarray(at + ATTRIBUTE_HEAD, at + length));
    at += Math.ceil(length / 4) * 4;
  }
  return found;
}

function number(bytes: Buffer | undefined): number {
  return bytes && bytes.length >= 4 ? bytes.readUInt32BE() : 0;
}

function handleOf(bytes: Buffer | undefined): bigint {
  return bytes && bytes.length >= 8 ? bytes.readBigUInt64BE() : 0n;
}

function text(bytes: Buffer | undefined): string {
  return bytes ? bytes.toString("latin1").replace(/\0.*$/s, "") : "";
}
