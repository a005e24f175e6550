import { addressBytes, parseAddress } from "../../src/compiler/ir/address.js";
import { internetChecksum, pseudoHeader } from "../../src/compiler/semantics/checksum.js";

/** ICMP's "fragmentation needed" (RFC 1191) and ICMPv6's "packet too big" (RFC 4443, section 3.2), written anew. */
export interface TooBig {
  readonly from: string;
  readonly to: string;
  readonly mtu: number;
  /** As much as is quoted of the packet that it is about. */
  readonly quote: Uint8Array;
}

export function tooBig(message: TooBig): Buffer {
  return message.to.includes(":") ? tooBig6(message) : tooBig4(message);
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address) throw new Error(`${text} is not an address`);
  return Uint8Array.from(addressBytes(address));
}

function tooBig4({ from, to, mtu, quote }: TooBig): Buffer {
  const icmp = Buffer.concat([Uint8Array.of(3, 4, 0, 0, 0, 0, mtu >> 8, mtu & 0xff), quote]);
  icmp.writeUInt16BE(internetChecksum(icmp), 2);
  const ip = Buffer.from("45c0000000000000400100000000000000000000", "hex");
  ip.writeUInt16BE(ip.length + icmp.length, 2);
  ip.set(bytesOf(from), 12);
  ip.set(bytesOf(to), 16);
  ip.writeUInt16BE(internetChecksum(ip), 10);
  return Buffer.concat([ip, icmp]);
}

function tooBig6({ from, to, mtu, quote }: TooBig): Buffer {
  const icmp = Buffer.concat([Uint8Array.of(2, 0, 0, 0, 0, 0, mtu >> 8, mtu & 0xff), quote]);
  const [source, destination] = [bytesOf(from), bytesOf(to)];
  icmp.writeUInt16BE(internetChecksum(pseudoHeader(source, destination, 58, icmp.length), icmp), 2);
  const ip = Buffer.from("6000000000003a40", "hex");
  ip.writeUInt16BE(icmp.length, 4);
  return Buffer.concat([ip, source, destination, icmp]);
}
