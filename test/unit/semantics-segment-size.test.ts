import { expect, test } from "vitest";
import { lowerSegmentSize } from "../../src/compiler/semantics/segment-size.js";
import { SYN, SYN_ACK, tcpPacket } from "../support/tcp-options.js";

const MSS = { 4: 1436, 6: 1416 };

const ENDS = {
  4: ["192.0.2.7", "203.0.113.9"],
  6: ["2001:db8::7", "2001:db8:a::9"],
} as const;

const packet = (family: 4 | 6, flags: number, options: string) => tcpPacket(ENDS[family], flags, options);

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
