import { expect, test } from "vitest";
import { internetChecksum, pseudoHeader } from "../../src/compiler/semantics/checksum.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { lowerSegmentSize } from "../../src/compiler/semantics/segment-size.js";

const MSS = { 4: 1436, 6: 1416 };

const SYN = 0x02;
const SYN_ACK = 0x12;

/** A TCP packet with these options, and a right checksum. */
function packet(family: 4 | 6, flags: number, options: string): Uint8Array {
  const ends = family === 4 ? "192.0.2.7:4000 > 203.0.113.9:80" : "[2001:db8::7]:4000 > [2001:db8:a::9]:80";
  const parsed = parsePacket(`tcp ${ends}`);
  if (parsed.kind !== "packet") throw new Error("the packet is well-formed");
  const header = family === 4 ? 20 : 40;
  const extra = Buffer.from(options.replaceAll(" ", ""), "hex");
  const bytes = Buffer.concat([parsed.bytes.subarray(0, header + 20), extra]);
  if (family === 4) bytes.writeUInt16BE(bytes.length, 2);
  else bytes.writeUInt16BE(bytes.length - 40, 4);
  bytes[header + 12] = ((20 + extra.length) / 4) << 4;
  bytes[header + 13] = flags;
  bytes.writeUInt16BE(0, header + 16);
  bytes.writeUInt16BE(checksum(bytes, header), header + 16);
  return bytes;
}

function checksum(bytes: Buffer, header: number): number {
  const [from, size] = header === 20 ? [12, 4] : [8, 16];
  const source = bytes.subarray(from, from + size);
  const destination = bytes.subarray(from + size, from + 2 * size);
  return internetChecksum(
    pseudoHeader(source, destination, 6, bytes.length - header),
    bytes.subarray(header),
  );
}

test.each([
  ["a SYN that promises more", 4, SYN, "020405b4", "0204059c"],
  ["a SYN with ACK, over IPv6", 6, SYN_ACK, "020405a0", "02040588"],
  ["behind other options", 4, SYN, "0103030a 0402 0204ffff 0101", "0103030a 0402 0204059c 0101"],
  ["at an odd place", 4, SYN, "01 020405b4 010101", "01 0204059c 010101"],
  ["only the first one", 4, SYN, "020405b4 020405b4", "0204059c 020405b4"],
] as const)("%s is lowered, and the checksum is mended", (_, family, flags, options, lowered) => {
  const result = lowerSegmentSize(packet(family, flags, options), MSS);
  expect(Buffer.from(result).toString("hex")).toBe(
    Buffer.from(packet(family, flags, lowered)).toString("hex"),
  );
});

test.each([
  ["that promises less", SYN, "02040200", MSS],
  ["that promises as much", SYN, "0204059c", MSS],
  ["without the option", SYN, "0103030a", MSS],
  ["whose option is cut off by the header's end", SYN, "0101 0204", MSS],
  ["whose option is too short for a value", SYN, "0202 0101", MSS],
  ["that opens no connection", 0x10, "020405b4", MSS],
  ["of a tunnel that keeps it", SYN, "020405b4", null],
] as const)("a packet %s stays as it is", (_, flags, options, mss) => {
  const bytes = packet(4, flags, options);
  expect(lowerSegmentSize(bytes, mss)).toBe(bytes);
});

test("a later fragment stays as it is", () => {
  const bytes = packet(4, SYN, "020405b4");
  bytes[7] = 4;
  expect(lowerSegmentSize(bytes, MSS)).toBe(bytes);
});
