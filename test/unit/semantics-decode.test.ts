import { describe, expect, test } from "vitest";
import { WIRE_FIELDS } from "../../src/compiler/ir/wire.js";
import { type Decoded, decode } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { readNumber } from "../../src/compiler/semantics/fields.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

/** The bytes of a packet's text, some of them overwritten. */
function packet(text: string, changes: Readonly<Record<number, number>> = {}): Uint8Array {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  const bytes = Uint8Array.from(parsed.bytes);
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  return bytes;
}

const UDP4 = "udp 192.0.2.7:53 > 203.0.113.9:9";
const UDP6 = "udp [2001:db8::7]:53 > [2001:db8::9]:9";

/** An IPv6 packet whose header chain is these [next header, bytes of the header] steps, then `rest`. */
function chain(
  first: number,
  headers: readonly (readonly number[])[],
  rest: readonly number[] = [],
): Uint8Array {
  const body = [...headers.flat(), ...rest];
  const bytes = new Uint8Array(40 + body.length);
  bytes.set([0x60, 0, 0, 0, 0, body.length, first, 64]);
  bytes.set(body, 40);
  return bytes;
}

/** An extension header of 8 bytes, followed by `next`. */
function extension(next: number): readonly number[] {
  return [next, 0, 0, 0, 0, 0, 0, 0];
}

function fragment(next: number, offset: number): readonly number[] {
  return [next, 0, offset >> 8, offset & 0xff, 0, 0, 0, 7];
}

function reason(decoded: Decoded): string | null {
  return decoded.kind === "malformed" ? decoded.reason : null;
}

describe("malformed packets", () => {
  test.each<[string, Uint8Array, string | null]>([
    ["no bytes", new Uint8Array(), "it is neither IPv4 nor IPv6"],
    ["version 5", packet(UDP4, { 0: 0x55 }), "it is neither IPv4 nor IPv6"],
    ["19 bytes of IPv4", packet(UDP4).subarray(0, 19), "it is shorter than its IP header"],
    ["39 bytes of IPv6", packet(UDP6).subarray(0, 39), "it is shorter than its IP header"],
    ["a header of 4 words", packet(UDP4, { 0: 0x44 }), "its header length is below 5 words"],
    ["a header longer than the packet", packet(UDP4, { 0: 0x4f }), "its header is longer than the packet"],
    ["a total length of 19", packet(UDP4, { 3: 19 }), "its header is longer than the packet"],
    ["an IPv4 packet longer than its frame", packet(UDP4, { 3: 29 }), "it is longer than the frame"],
    ["an IPv6 packet longer than its frame", packet(UDP6, { 5: 9 }), "it is longer than the frame"],
    ["8 extension headers", chain(60, [60, 60, 60, 60, 60, 60, 60, 59].map(extension)), null],
    [
      "9 extension headers",
      chain(60, [60, 60, 60, 60, 60, 60, 60, 60, 59].map(extension)),
      "it has more than 8 extension headers",
    ],
    [
      "an extension header cut short",
      chain(0, [extension(59).slice(0, 7)]),
      "an extension header ends behind the packet",
    ],
    [
      "an extension header that is too long",
      chain(0, [[59, 1, 0, 0, 0, 0, 0, 0]]),
      "an extension header ends behind the packet",
    ],
    ["two fragment headers", chain(44, [fragment(44, 1), fragment(59, 0)]), "it has two fragment headers"],
    ["a fragment header behind a later fragment", chain(44, [fragment(44, 8)]), null],
  ])("%s", (_, bytes, expected) => {
    expect(reason(decode(bytes))).toBe(expected);
  });

  test("the version must be the one that the frame announces", () => {
    expect(reason(decode(packet(UDP6), 4))).toBe("its IP version is not the one that the frame announces");
  });
});

describe("protocol and transport header", () => {
  test.each<[string, Uint8Array, number | null, string | null]>([
    ["UDP over IPv4", packet(UDP4), 17, "udp@20"],
    ["behind IPv4 options", packet("tcp 192.0.2.7:1 > 203.0.113.9:2 len=60", { 0: 0x46 }), 6, "tcp@24"],
    ["first IPv4 fragment", packet(`${UDP4} frag=0+`), 17, "udp@20"],
    ["later IPv4 fragment", packet(`${UDP4} frag=8`), 17, null],
    ["protocol 58 in IPv4 is not ICMPv6", packet("proto=58 192.0.2.7 > 203.0.113.9"), 58, null],
    ["protocol 1 in IPv6 is not ICMP", packet("proto=1 2001:db8::7 > 2001:db8::9"), 1, null],
    ["UDP-Lite has no fields", packet("proto=136 192.0.2.7 > 203.0.113.9"), 136, null],
    ["behind three extension headers", chain(0, [60, 43, 17].map(extension), [0, 53]), 17, "udp@64"],
    ["first IPv6 fragment", packet(`${UDP6} frag=0+`), 17, "udp@48"],
    ["later IPv6 fragment", packet(`${UDP6} frag=8`), 17, null],
    ["later IPv6 fragment of an unfinished chain", chain(44, [fragment(60, 8)]), null, null],
    ["later IPv6 fragment with AH", chain(44, [fragment(51, 8)]), null, null],
    ["AH ends the chain", chain(51, [extension(6)]), 51, null],
    ["no next header", chain(59, []), 59, null],
  ])("%s", (_, bytes, protocol, transport) => {
    const decoded = decode(bytes);
    if (decoded.kind === "malformed") throw new Error(decoded.reason);
    const found = decoded.packet.transport;
    expect(decoded.packet.protocol).toBe(protocol);
    expect(found && `${found.header}@${found.offset}`).toBe(transport);
  });
});

describe("a field is absent unless all its bytes are there", () => {
  test.each([
    [21, undefined, undefined],
    [22, 40000n, undefined],
    [24, 40000n, 21n],
  ])("TCP in %i bytes", (length, source, destination) => {
    const decoded = decode(packet(`tcp 192.0.2.7:40000 > 203.0.113.100:21 len=${length}`));
    if (decoded.kind === "malformed") throw new Error(decoded.reason);
    expect(readNumber(decoded.packet, WIRE_FIELDS["tcp.srcport"])).toBe(source);
    expect(readNumber(decoded.packet, WIRE_FIELDS["tcp.dstport"])).toBe(destination);
  });

  test.each([
    [3, undefined],
    [4, 1n],
    [7, 1n],
  ])("an IPv6 fragment header behind an AH in %i bytes", (length, more) => {
    const decoded = decode(chain(51, [extension(44)], fragment(6, 1).slice(0, length)));
    if (decoded.kind === "malformed") throw new Error(decoded.reason);
    expect(readNumber(decoded.packet, WIRE_FIELDS["fragment6.more"])).toBe(more);
  });

  test("the length of an AH counts words, less two (RFC 4302)", () => {
    const decoded = decode(chain(51, [[44, 4, ...new Array<number>(22).fill(0)]], fragment(6, 1)));
    if (decoded.kind === "malformed") throw new Error(decoded.reason);
    expect(readNumber(decoded.packet, WIRE_FIELDS["fragment6.more"])).toBe(1n);
  });

  test("padding is not part of the packet", () => {
    const decoded = decode(
      Uint8Array.from([...packet("proto=6 192.0.2.7 > 203.0.113.9"), ...new Uint8Array(26)]),
    );
    if (decoded.kind === "malformed") throw new Error(decoded.reason);
    expect(readNumber(decoded.packet, WIRE_FIELDS["tcp.srcport"])).toBeUndefined();
  });
});

describe("Ethernet", () => {
  const addresses = new Array<number>(12).fill(2);
  test.each<[string, readonly number[], readonly number[] | undefined]>([
    ["IPv4", [0x08, 0x00, 0x45], [4, 0x45]],
    ["IPv6", [0x86, 0xdd, 0x60], [6, 0x60]],
    ["one VLAN tag", [0x81, 0x00, 0, 5, 0x08, 0x00, 0x45], [4, 0x45]],
    ["802.1ad over 802.1Q", [0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 0x86, 0xdd, 0x60], [6, 0x60]],
    ["three VLAN tags", [0x81, 0, 0, 5, 0x81, 0, 0, 5, 0x81, 0, 0, 5, 0x08, 0x00, 0x45], undefined],
    ["ARP", [0x08, 0x06, 0x00], undefined],
    ["a frame cut in its EtherType", [0x08], undefined],
  ])("%s", (_, rest, expected) => {
    const carried = stepOverEthernet(Uint8Array.from([...addresses, ...rest]));
    expect(carried && [carried.family, ...carried.bytes]).toEqual(expected);
  });
});
