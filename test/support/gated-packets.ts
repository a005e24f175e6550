import fc from "fast-check";
import { writeHeaderChecksum } from "../../src/compiler/semantics/checksum.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

/** UDP packets of which the kernel takes some away; each has a source port of its own, so that it is told from the others. */
export interface Gated {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const TO_4 = "203.0.113.100:9";
const TO_6 = "[2001:db8:a::100]:9";

/** Addresses that have a meaning of their own, and their neighbours. */
const SOURCES_4 =
  "0.0.0.0 0.0.0.1 0.1.2.3 126.255.255.255 127.0.0.0 127.1.2.3 128.0.0.0 223.255.255.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255 169.254.1.1 203.0.113.7";
const SOURCES_6 =
  ":: ::1 ::2 ::ffff:1.2.3.4 fe7f::1 fe80::1 febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff0e::1 fd00::1 100::1 2001:db8:a::7";
const LIFETIMES = [0, 1, 2, 3, 64, 255];

const OPTIONS_4 = `
  00000000 01010101 00ff0000 01010100 83030400 830704cb00716500 830708cb00716500 830704cb00716583 890704cb00716500
  830704cb0071650083070401 0703040000000000 07030400 07070400000000 0707080000000000 0707050000000000 0702040001010101
  07030300 07ff0401 0707040000000000070704000000000000 44080500000000 4408050000000000 44040500 440405f0 440405e0 440405f3
  4408050f00000000 4408090f00000000 44080501 4408050100000000 440c05010000000000000000 440c050300000000 44030500
  94040000 94040001 94030000 94020101 82020101 05ff0101 05010101 050101 99000101 86020101 8606000000010101 860800000001010200
  880400ff 4404050044040500 01 0101 05`;

/** Hop-by-hop options of one header, without its first two bytes. */
const OPTIONS_6 = `
  010400000000 000000000000 050200000000 05020000010000 0501000001000 c20400010000 c20400000010 010a00000000 800400000000
  400400000000 c00400000000 3e0400000000 0b0400000000 010401040000 010000000000 010100010000 01040000000001 010400000001
  310400000000 003104000000 000031020000 070400000000 07080000000000000000000000 1e00 1e001e001e00 05
  000000000000010600000000000000 0104000000000106000000000000 010a00000000000000000000 1e001e001e001e001e001e001e00
  1e001e001e001e001e001e001e001e001e001e00`;

/** What the definition speaks of, one by one. */
export function gatedPackets(): readonly Gated[] {
  const good = bytesOf(`udp 192.0.2.7:1 > ${TO_4}`);
  return [
    { name: "a packet as any other", bytes: good },
    ...[0, 11].map((at) => ({
      name: `a wrong checksum, byte ${at}`,
      bytes: flipped(good, at === 0 ? 8 : at),
    })),
    ...SOURCES_4.split(" ").map((source) => written(`udp ${source}:1 > ${TO_4}`)),
    ...SOURCES_6.split(" ").map((source) => written(`udp [${source}]:1 > ${TO_6}`)),
    ...LIFETIMES.map((ttl) => written(`udp 192.0.2.7:1 > ${TO_4} ttl=${ttl}`)),
    ...LIFETIMES.map((ttl) => written(`udp [2001:db8:1::7]:1 > ${TO_6} ttl=${ttl}`)),
    ...OPTIONS_4.trim()
      .split(/\s+/)
      .map((hex) => ({ name: `options ${hex}`, bytes: withOptions(hexBytes(hex)) })),
    ...OPTIONS_6.trim()
      .split(/\s+/)
      .flatMap((hex) =>
        [0, 60].map((kind) => ({
          name: `header ${kind}, options ${hex}`,
          bytes: withHeader(kind, hexBytes(hex)),
        })),
      ),
  ];
}

const option = fc
  .tuple(
    fc.constantFrom(0, 1, 1, 5, 7, 7, 30, 0x31, 0x44, 0x44, 0x83, 0x86, 0x89, 0x94, 0xc2, 0x80),
    fc.oneof({ weight: 4, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(255) }),
    fc.uint8Array({ maxLength: 10 }).map((bytes) => bytes.map((byte) => byte % 20)),
    fc.boolean(),
  )
  .map(([kind, length, value, right]) =>
    kind < 2 && length % 2 === 0 ? [kind] : [kind, right ? value.length + 2 : length, ...value],
  );

const options = fc.array(option, { maxLength: 6 }).map((all) => Uint8Array.from(all.flat()));

/** IPv4 and hop-by-hop options that are nearly right. */
export const anyGated: fc.Arbitrary<Gated> = fc.oneof(
  options.map((bytes) => ({ name: `options ${hexOf(bytes)}`, bytes: withOptions(bytes) })),
  options.map((bytes) => ({ name: `hop-by-hop ${hexOf(bytes)}`, bytes: withHeader(0, bytes) })),
);

/** The same packet from another port. */
export function fromPort({ bytes }: Gated, port: number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at =
    copy[0] === 0x60 ? 40 + (copy[6] === 17 ? 0 : ((copy[41] ?? 0) + 1) * 8) : ((copy[0] ?? 0) & 15) * 4;
  copy.writeUInt16BE(port, at);
  return copy;
}

function written(text: string): Gated {
  return { name: text, bytes: bytesOf(text) };
}

function bytesOf(text: string): Uint8Array {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  return parsed.bytes;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

/** At most 40 bytes of options, filled up with ends of options. */
function withOptions(options: Uint8Array): Uint8Array {
  const area = Buffer.alloc(Math.min(Math.ceil(options.length / 4) * 4, 40));
  area.set(options.subarray(0, area.length));
  const packet = Buffer.from(bytesOf(`udp 192.0.2.7:1 > ${TO_4}`));
  const whole = Buffer.concat([packet.subarray(0, 20), area, packet.subarray(20)]);
  whole.writeUInt8(0x40 | (5 + area.length / 4), 0);
  whole.writeUInt16BE(whole.length, 2);
  writeHeaderChecksum(whole);
  return whole;
}

/** An IPv6 extension header of this kind, filled up with Pad1. */
function withHeader(kind: number, options: Uint8Array): Uint8Array {
  const header = Buffer.alloc(Math.ceil((options.length + 2) / 8) * 8);
  header.set([17, header.length / 8 - 1]);
  header.set(options, 2);
  const packet = Buffer.from(bytesOf(`udp [2001:db8:1::7]:1 > ${TO_6}`));
  const whole = Buffer.concat([packet.subarray(0, 40), header, packet.subarray(40)]);
  whole.writeUInt16BE(whole.length - 40, 4);
  whole.writeUInt8(kind, 6);
  return whole;
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
