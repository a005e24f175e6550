import { randomBytes } from "node:crypto";
import { addressBytes } from "../prefix.js";

/** An ICMP echo packet that asks a tunnel's router whether it lives (docs/semantics.md, "Whether a router lives"). */
export interface ProbePacket {
  readonly style: "request" | "reply";
  /** Addresses of one family: of the packet inside of the tunnel. */
  readonly source: string;
  readonly destination: string;
  /** What the answer must bring back. */
  readonly nonce: Uint8Array;
}

/** What all probes begin with: it says whose they are to whoever sees one. */
const MAGIC = Buffer.from("tidegate");
const NONCE = 16;
/** Half of each nonce, so that the kernel can drop answers to nobody's probe before anybody reads them (answers.c). */
const SECRET = randomBytes(8);
/** What answers to this process's probes begin with, behind ICMP's header. */
export const OPENING: Uint8Array = Buffer.concat([MAGIC, SECRET]);
/** As ping(8) sends, header included. */
const ICMP_LENGTH = 64;
const ICMP_HEADER = 8;
const HOPS = 64;

/** Types of RFC 792 and RFC 4443, and the number of the protocol. */
const ICMP = {
  4: { protocol: 1, request: 8, reply: 0 },
  6: { protocol: 58, request: 128, reply: 129 },
} as const;

export function freshNonce(): Uint8Array {
  return Buffer.concat([SECRET, randomBytes(NONCE - SECRET.length)]);
}

/** What a probe's answer says, without ICMP's header; undefined where it is no probe's. */
export function nonceIn(payload: Buffer): string | undefined {
  const isProbe = payload.length >= MAGIC.length + NONCE && payload.subarray(0, MAGIC.length).equals(MAGIC);
  return isProbe ? payload.toString("hex", MAGIC.length, MAGIC.length + NONCE) : undefined;
}

/** The bytes, from the IP header on. Throws where the addresses are no two of one family. */
export function probeBytes({ style, source, destination, nonce }: ProbePacket): Buffer {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  if (!from || !to || from.length !== to.length)
    throw new Error(`there is no probe from ${source} to ${destination}`);
  const family = from.length === 4 ? 4 : 6;
  const { protocol } = ICMP[family];
  const message = icmp(ICMP[family][style], nonce);
  const addresses = Buffer.concat([from, to]);
  // ICMPv6's checksum is also about the addresses, length and protocol (RFC 4443, 2.3).
  const above = family === 4 ? [] : [addresses, Buffer.from([0, 0, 0, ICMP_LENGTH, 0, 0, 0, protocol])];
  message.writeUInt16BE(checksum(Buffer.concat([...above, message])), 2);
  return Buffer.concat([family === 4 ? ipv4(protocol, addresses) : ipv6(protocol, addresses), message]);
}

function icmp(type: number, nonce: Uint8Array): Buffer {
  const message = Buffer.alloc(ICMP_LENGTH);
  message.writeUInt8(type);
  // Identifier and sequence number are for others on the way; what counts is behind them.
  message.set(nonce.subarray(0, 4), 4);
  message.set(MAGIC, ICMP_HEADER);
  message.set(nonce, ICMP_HEADER + MAGIC.length);
  return message;
}

function ipv4(protocol: number, addresses: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(header.length + ICMP_LENGTH, 2);
  // "Don't fragment": so the identification may be 0 (RFC 6864).
  header.writeUInt16BE(0x4000, 6);
  header.writeUInt8(HOPS, 8);
  header.writeUInt8(protocol, 9);
  header.set(addresses, 12);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function ipv6(protocol: number, addresses: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(ICMP_LENGTH, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(HOPS, 7);
  return Buffer.concat([header, addresses]);
}

/** RFC 1071, over an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
