import { writeHeaderChecksum } from "../../src/compiler/semantics/checksum.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

/** Packets as policies' tests write them, and what becomes of them with other bytes. */

export const TO = "203.0.113.100";
export const UDP = `udp 192.0.2.7:53 > ${TO}:53`;
export const UDP6 = "udp [2001:db8::7]:53 > [2001:db8:f::1]:53";
export const OPTIONS4 = [1, 1, 1, 0];

/** The packet with other bytes; the IPv4 header's checksum stays right, as the kernel drops others before nftables. */
export function edited(packet: string, changes: Readonly<Record<number, number>>): string {
  const bytes = Buffer.from(bytesOf(packet));
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  if ((bytes[0] ?? 0) >> 4 === 4) writeHeaderChecksum(bytes);
  return `hex=${bytes.toString("hex")}`;
}

/** Cut to `length` bytes, as its own length says. */
export function cut(packet: string, length: number): string {
  const bytes = bytesOf(packet);
  const six = (bytes[0] ?? 0) >> 4 === 6;
  const [at, own] = six ? [4, length - 40] : [2, length];
  return edited(hex(bytes.subarray(0, length)), { [at]: own >> 8, [at + 1]: own & 0xff });
}

/** IPv4 with options, of a multiple of 4 bytes. */
export function withOptions(packet: string, options: readonly number[]): string {
  const bytes = bytesOf(packet);
  const long = Uint8Array.from([...bytes.subarray(0, 20), ...options, ...bytes.subarray(20)]);
  return edited(hex(long), { 0: 0x45 + options.length / 4, 3: long.length });
}

/** IPv6 with extension headers in front of what it carries; they name it themselves. */
export function withExtensions(packet: string, first: number, extensions: readonly number[]): string {
  const bytes = bytesOf(packet);
  const long = Uint8Array.from([...bytes.subarray(0, 40), ...extensions, ...bytes.subarray(40)]);
  return edited(hex(long), { 5: long.length - 40, 6: first });
}

function hex(bytes: Uint8Array): string {
  return `hex=${Buffer.from(bytes).toString("hex")}`;
}

/** A fragment header in front of UDP, with its 16 bits of offset and flags. */
export function fragment6(field: number): string {
  return withExtensions(UDP6, 44, [17, 0, field >> 8, field & 0xff, 0, 0, 0, 9]);
}

/** A TCP packet with options, of a multiple of 4 bytes. */
export function withTcpOptions(options: readonly number[]): string {
  const bytes = bytesOf(`tcp 192.0.2.7:4000 > ${TO}:80 flags=S`);
  const long = Uint8Array.from([...bytes, ...options]);
  return edited(hex(long), { 3: long.length, 32: (5 + options.length / 4) << 4 });
}

export function bytesOf(packet: string): Uint8Array {
  const parsed = parsePacket(packet);
  if (parsed.kind === "problems") throw new Error(`${packet}: ${parsed.problems[0]?.message}`);
  return parsed.bytes;
}
