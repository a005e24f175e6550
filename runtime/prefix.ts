import { isIPv4, isIPv6, SocketAddress } from "node:net";
import type { Family } from "./netlink/network.js";

/** The addresses that begin with the first `length` bits of `bytes`; the other bits are 0. */
export interface Block {
  readonly family: Family;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** An address prefix as the manifest writes it, and its bytes. */
export interface Prefix extends Block {
  readonly text: string;
}

/** All addresses of a family. */
export const EVERYTHING = {
  4: { text: "0.0.0.0/0", family: 4, bytes: new Uint8Array(4), length: 0 },
  6: { text: "::/0", family: 6, bytes: new Uint8Array(16), length: 0 },
} as const satisfies Record<Family, Prefix>;

/** Reads `ADDRESS/LENGTH`; undefined for anything else, and where host bits are set. */
export function parsePrefix(text: string): Prefix | undefined {
  const [head = "", tail = ""] = text.split("/");
  const bytes = addressBytes(head);
  const length = Number(tail);
  if (!bytes || !/^\d{1,3}$/.test(tail) || length > bytes.length * 8) return undefined;
  const prefix: Prefix = { text, family: bytes.length === 4 ? 4 : 6, bytes, length };
  return hostBitsSet(prefix) ? undefined : prefix;
}

/** What was read of lists that still exist: each change of one customer asks about the prefixes of all others. */
const known = new WeakMap<readonly string[], readonly Prefix[]>();

/** Reads the prefixes of a list, which nobody changes afterwards; what is none is left out. */
export function parsePrefixes(texts: readonly string[]): readonly Prefix[] {
  const read = known.get(texts) ?? texts.map(parsePrefix).filter((prefix) => prefix !== undefined);
  known.set(texts, read);
  return read;
}

/** The 4 or 16 bytes of an address, in network order. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = /[^:]+\.[^:]+$/.exec(text)?.[0];
  const last = dotted === undefined ? undefined : addressBytes(dotted);
  const plain = last ? text.replace(dotted ?? "", groups(last).join(":")) : text;
  const [left = [], right = []] = plain.split("::").map((half) => half.split(":").filter((g) => g !== ""));
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return Uint8Array.from(
    [...left, ...zeros, ...right]
      .map((group) => Number.parseInt(group, 16))
      .flatMap((v) => [v >> 8, v & 255]),
  );
}

/** The address of 4 or 16 bytes in network order, as short as it can be written (RFC 5952). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const pairs = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  const address = pairs.map((pair) => pair.toString(16)).join(":");
  return new SocketAddress({ address, family: "ipv6" }).address;
}

/** The one address that is written so; none, where it is no address. */
export function hostBlock(text: string): readonly Block[] {
  const bytes = addressBytes(text);
  return bytes ? [{ family: bytes.length === 4 ? 4 : 6, bytes, length: bytes.length * 8 }] : [];
}

/** As short as it can be written: an address alone, or ADDRESS/LENGTH. */
export function blockText({ bytes, length }: Block): string {
  return length === bytes.length * 8 ? addressText(bytes) : `${addressText(bytes)}/${length}`;
}

/** The family of an address, or of a prefix. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function groups(v4: Uint8Array): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = v4;
  return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
}

export function contains(outer: Block, inner: Block): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  // A loop, and no further than needed: each change asks this of all customers' prefixes.
  for (let index = 0; index * 8 < outer.length; index++) {
    const difference = (outer.bytes[index] ?? 0) ^ (inner.bytes[index] ?? 0);
    if ((difference & maskByte(outer.length, index)) !== 0) return false;
  }
  return true;
}

export function sameBlock(a: Block, b: Block): boolean {
  return a.length === b.length && contains(a, b);
}

/** Whether each address of `block` lies in one of the others. */
export function isFilledBy(block: Block, others: readonly Block[]): boolean {
  if (others.some((other) => contains(other, block))) return true;
  const inside = others.filter((other) => contains(block, other));
  return inside.length > 0 && halves(block).every((half) => isFilledBy(half, inside));
}

function halves({ family, bytes, length }: Block): readonly Block[] {
  const upper = Uint8Array.from(bytes);
  upper[length >> 3] = (upper[length >> 3] ?? 0) | (0x80 >> (length & 7));
  return [bytes, upper].map((start) => ({ family, bytes: start, length: length + 1 }));
}

/** Those prefixes that lie in no other one: the same addresses, without overlap, each once, in their order. */
export function cover(prefixes: readonly Prefix[]): readonly Prefix[] {
  const outermost: Prefix[] = [];
  for (const prefix of [...prefixes].sort(byPlace)) {
    // Prefixes nest or are apart, so if one holds this it is the last of those that hold something.
    const last = outermost.at(-1);
    if (!last || !contains(last, prefix)) outermost.push(prefix);
  }
  return outermost;
}

/** Whatever holds a prefix comes before it. */
function byPlace(a: Prefix, b: Prefix): number {
  return a.family - b.family || Buffer.compare(a.bytes, b.bytes) || a.length - b.length;
}

/** Key of a BPF LPM trie: the length in host order (all of our targets are little-endian), then the address. */
export function lpmKey(prefix: Prefix): Uint8Array {
  const key = Buffer.alloc(4 + prefix.bytes.length);
  key.writeUInt32LE(prefix.length);
  key.set(prefix.bytes, 4);
  return key;
}

function hostBitsSet(prefix: Prefix): boolean {
  return prefix.bytes.some((byte, index) => (byte & ~maskByte(prefix.length, index) & 255) !== 0);
}

/** The part of byte `index` that a prefix of `length` bits covers. */
function maskByte(length: number, index: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8));
  return (0xff00 >> bits) & 255;
}
