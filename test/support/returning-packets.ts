import type { Chance } from "../../src/compiler/analysis/chance.js";
import { addressBytes, parseAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import {
  ecnInside,
  type Outside,
  oneHopLess,
  outerPacket,
  tosOf,
  withEcn,
  writeChecksum,
} from "./outer-packets.js";

/**
 * What becomes of a packet that a router sends back, by docs/semantics.md: `plain`, it goes on, and XDP may see to that;
 * `slow`, it goes on by the namespace; `spoofed`, the namespace drops it as such; `lost`: whoever gets it drops it.
 */
type Fate = "plain" | "slow" | "spoofed" | "lost";

/** A packet as it comes from a router, and what of it comes to the client; null: nothing. */
export interface Returning {
  readonly why: string;
  readonly fate: Fate;
  readonly outer: Buffer;
  readonly arriving: Buffer | null;
}

/** A customer's host and a client, and the ends of its tunnel. */
export interface Ends {
  readonly host: Readonly<Record<4 | 6, string>>;
  readonly client: Readonly<Record<4 | 6, string>>;
  readonly tunnel: Tunnel;
  readonly outside: Outside;
}

interface Inside {
  readonly from: string;
  readonly to: string;
  readonly hops: number;
  readonly ecn: number;
  readonly protocol: number;
  /** What is behind the IP header. */
  readonly rest: Buffer;
}

/** Changed bytes; `left`: what of them is the packet, where that is less. */
type Bytes = Buffer | Part;

interface Part {
  readonly whole: Buffer;
  readonly left: Buffer;
}

interface Twist {
  readonly why: string;
  readonly fate: Fate;
  readonly family?: 4 | 6;
  readonly said?: Partial<Inside>;
  readonly bytes?: (packet: Buffer) => Bytes;
}

const TWISTS: readonly Twist[] = [
  { why: "its last hop", fate: "plain", said: { hops: 3 } },
  { why: "a hop too few", fate: "lost", said: { hops: 2 } },
  { why: "no hop left", fate: "lost", said: { hops: 1 } },
  { why: "spoofed", fate: "spoofed", family: 4, said: { from: "192.0.2.99" } },
  { why: "spoofed", fate: "spoofed", family: 6, said: { from: "2001:db8:b::1" } },
  { why: "from another customer's address", fate: "spoofed", family: 4, said: { from: "198.18.64.9" } },
  { why: "from the anycast address", fate: "spoofed", family: 4, said: { from: "198.18.0.1" } },
  { why: "to the customer itself", fate: "lost", family: 4, said: { to: "203.0.113.7" } },
  { why: "to the customer itself", fate: "lost", family: 6, said: { to: "2001:db8:a::7" } },
  { why: "to another customer", fate: "lost", family: 4, said: { to: "198.18.64.9" } },
  { why: "to the edge", fate: "lost", family: 4, said: { to: "192.0.2.254" } },
  { why: "to nobody", fate: "lost", family: 4, said: { to: "192.0.2.99" } },
  { why: "to where no route leads", fate: "lost", family: 4, said: { to: "8.8.8.8" } },
  { why: "to a group", fate: "lost", family: 4, said: { to: "224.0.0.9" } },
  { why: "to a group", fate: "lost", family: 6, said: { to: "ff05::9" } },
  { why: "whole for ever", fate: "plain", family: 4, bytes: (packet) => word(packet, 6, 0x4000) },
  { why: "a first fragment", fate: "slow", family: 4, bytes: (packet) => word(packet, 6, 0x2000) },
  { why: "a later fragment", fate: "slow", family: 4, bytes: (packet) => word(packet, 6, 9) },
  { why: "a wrong checksum", fate: "lost", family: 4, bytes: (packet) => flipped(packet, 11) },
  { why: "options", fate: "slow", family: 4, bytes: withOptions },
  { why: "an option for its destination", fate: "slow", family: 6, bytes: (packet) => extended(packet, 60) },
  { why: "an option for every hop", fate: "slow", family: 6, bytes: (packet) => extended(packet, 0) },
  { why: "a fragment header", fate: "slow", family: 6, bytes: (packet) => extended(packet, 44) },
  {
    why: "less than it is in",
    fate: "slow",
    bytes: (left) => ({ whole: Buffer.concat([left, Buffer.alloc(9)]), left }),
  },
  { why: "cut off", fate: "lost", bytes: (packet) => packet.subarray(0, -1) },
];

interface Around {
  readonly why: string;
  readonly fate: Fate;
  readonly outside?: Partial<Outside>;
  readonly tunnel?: Partial<Tunnel>;
  readonly bytes?: (outer: Buffer) => Buffer;
}

const NONE = Buffer.alloc(0);

const AROUND: readonly Around[] = [
  ...[0, 1, 2, 3].map((ecn) => ({ why: `ECN ${ecn} outside`, fate: "plain", outside: { ecn } }) as const),
  { why: "padded", fate: "plain", bytes: (outer) => Buffer.concat([outer, Buffer.alloc(7, 0xff)]) },
  { why: "an option outside", fate: "slow", outside: { options: Buffer.from([1, 1, 1, 0]) } },
  { why: "a number of GRE's", fate: "slow", outside: { flags: [0x1000, NONE, Buffer.from([0, 0, 0, 9])] } },
  { why: "a checksum of GRE's", fate: "lost", outside: { flags: [0x8000, Buffer.alloc(4), NONE] } },
  { why: "from a stranger", fate: "lost", outside: { source: "198.51.100.77" } },
  { why: "to a stranger", fate: "lost", outside: { destination: "198.51.100.254" } },
  { why: "another key", fate: "lost", tunnel: { key: 77 } },
  { why: "of the other family", fate: "lost", bytes: (outer) => flipped(flipped(outer, 22, 0x8e), 23, 0xdd) },
  { why: "a wrong checksum outside", fate: "lost", bytes: (outer) => flipped(outer, 10) },
  // Another one never comes.
  { why: "a first piece outside", fate: "lost", bytes: (outer) => word(outer, 6, 0x2000) },
  { why: "another version of GRE", fate: "lost", bytes: (outer) => flipped(outer, 21) },
];

const UDP = 17;
const TCP = 6;
const SYN = 2;
const ACK = 16;

/** One of the tunnel's packets. Half of them are nothing special inside, and half outside; `mark` is what it ends with. */
export function returningPacket(chance: Chance, ends: Ends, mark: number): Returning {
  const family = chance.oneIn(3) ? 6 : 4;
  const flags = chance.among([null, ACK, SYN]) ?? null;
  const inside: Inside = {
    from: ends.host[family],
    to: ends.client[family],
    hops: 4 + chance.below(250),
    ecn: chance.below(4),
    protocol: flags === null ? UDP : TCP,
    rest: transport(flags, mark, chance.below(chance.oneIn(8) ? 1300 : 40)),
  };
  const twists = TWISTS.filter((one) => one.family === undefined || one.family === family);
  const twist = chance.oneIn(2) ? chance.among(twists) : undefined;
  const around = chance.oneIn(2) ? chance.among(AROUND) : undefined;
  const opening = flags === SYN ? "slow" : "plain";
  const fate = worst([opening, twist?.fate ?? "plain", around?.fate ?? "plain"]);
  const packet = packetOf({ ...inside, ...twist?.said });
  const changed = twist?.bytes?.(packet) ?? packet;
  const inner = "left" in changed ? changed : { whole: changed, left: changed };
  const why = `${mark}: IPv${family}, flags ${flags}, ECN ${inside.ecn}, ${twist?.why}, ${around?.why}`;
  return whole(why, fate, inner, around, ends);
}

/** One that is nothing special, of 52 bytes if nothing else is said. */
export function plainPacket(ends: Ends, mark: number, length = 52): Returning {
  const said = { from: ends.host[4], to: ends.client[4], hops: 64, ecn: 0, protocol: UDP };
  const packet = packetOf({ ...said, rest: transport(null, mark, length - 32) });
  return whole(`${mark}`, "plain", { whole: packet, left: packet }, undefined, ends);
}

/** Where both are wrong, what is outside is found first. */
function worst(fates: readonly [opening: Fate, twist: Fate, around: Fate]): Fate {
  const [, , around] = fates;
  if (around === "lost") return "lost";
  return (["lost", "spoofed", "slow"] as const).find((fate) => fates.includes(fate)) ?? "plain";
}

function whole(
  why: string,
  fate: Fate,
  inner: Part,
  around: Around | undefined,
  { tunnel, outside }: Ends,
): Returning {
  const wrapped = outerPacket(
    inner.whole,
    { ...tunnel, ...around?.tunnel },
    { ...outside, ...around?.outside },
  );
  const outer = (around?.bytes ?? ((one) => one))(wrapped);
  const ecn = tosOf(outer) & 3;
  const told = ecnInside(ecn, tosOf(inner.left) & 3);
  if (told === undefined) return { why, fate: "lost", outer, arriving: null };
  // Of these two the packet inside may have to be told.
  const isTold = fate === "plain" && (ecn & 1) === 1;
  const goesOn = fate === "plain" || fate === "slow";
  const arriving = goesOn ? oneHopLess(oneHopLess(withEcn(inner.left, told))) : null;
  return { why, fate: isTold ? "slow" : fate, outer, arriving };
}

function transport(flags: number | null, mark: number, more: number): Buffer {
  const header = Buffer.alloc(flags === null ? 8 : 20);
  header.writeUInt16BE(4000 + (mark % 1000), 0);
  header.writeUInt16BE(9, 2);
  if (flags === null) header.writeUInt16BE(header.length + more + 4, 4);
  else header.set([0x50, flags], 12);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(mark);
  return Buffer.concat([header, Buffer.alloc(more, 0x5a), end]);
}

function packetOf({ from, to, hops, ecn, protocol, rest }: Inside): Buffer {
  const [source, destination] = [bytesOf(from), bytesOf(to)];
  if (source.length === 16) {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(0x60000000 + ecn * 0x100000);
    header.writeUInt16BE(rest.length, 4);
    header.set([protocol, hops], 6);
    return Buffer.concat([header, source, destination, rest]);
  }
  const header = Buffer.alloc(12);
  header.set([0x45, ecn]);
  header.writeUInt16BE(20 + rest.length, 2);
  header.set([hops, protocol], 8);
  return writeChecksum(Buffer.concat([header, source, destination, rest]));
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address) throw new Error(`not an address: ${text}`);
  return addressBytes(address);
}

/** Of an IPv4 header, whose checksum stays right. */
function word(packet: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(value, at);
  return writeChecksum(copy);
}

function flipped(packet: Buffer, at: number, bits = 1): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt8((copy[at] ?? 0) ^ bits, at);
  return copy;
}

/** Four that mean nothing. */
function withOptions(packet: Buffer): Buffer {
  const copy = Buffer.concat([packet.subarray(0, 20), Buffer.from([1, 1, 1, 0]), packet.subarray(20)]);
  copy.writeUInt8(0x46, 0);
  return word(copy, 2, copy.length);
}

/** With padding, or as a fragment header one of a datagram in one piece. */
function extended(packet: Buffer, kind: number): Buffer {
  const padding = kind === 44 ? [0, 0, 0, 0, 0, 9] : [1, 4, 0, 0, 0, 0];
  const header = Buffer.from([packet[6] ?? 0, 0, ...padding]);
  const copy = Buffer.concat([packet.subarray(0, 40), header, packet.subarray(40)]);
  copy.writeUInt16BE(copy.length - 40, 4);
  copy.writeUInt8(kind, 6);
  return copy;
}
