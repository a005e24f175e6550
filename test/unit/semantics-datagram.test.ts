import { describe, expect, test } from "vitest";
import type { Family } from "../../src/compiler/ir/address.js";
import { newDatagrams, wholeDatagram } from "../../src/compiler/semantics/datagram.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { pieceBytes } from "../support/datagram-pieces.js";

const SECOND = 1_000_000_000n;

interface Sent {
  readonly family: Family;
  readonly id?: number;
  /** `START-END`, and `+` for "more fragments". */
  readonly pieces: string;
  readonly bytes?: (bytes: Buffer, index: number) => void;
}

function packetOf({ family, id = 7, bytes: change }: Sent, text: string, index: number) {
  const [start = 0, end = 0] = text.replace("+", "").split("-").map(Number);
  const shape = { start, length: end - start, more: text.endsWith("+"), dscp: 0, ttl: 64 };
  const bytes = Buffer.from(pieceBytes(family, id, shape));
  change?.(bytes, index);
  const decoded = decode(bytes);
  if (decoded.kind !== "packet") throw new Error(decoded.reason);
  return decoded.packet;
}

/** The own length of the datagram that each piece completes; "held" where it completes none. */
function lengths(sent: Sent, datagrams = newDatagrams(), now = 0n): string {
  const wholes = sent.pieces
    .split(" ")
    .map((text, index) => wholeDatagram(packetOf(sent, text, index), datagrams, now));
  return wholes.map((whole) => whole?.bytes.length ?? "held").join(" ");
}

describe("pieces of a datagram", () => {
  test.each<[string, string, string, string]>([
    ["in order", "0-8+ 8-12", "held 32", "held 52"],
    ["the last one first", "8-12 0-8+", "held 32", "held 52"],
    ["with a hole", "0-8+ 16-20", "held held", "held held"],
    ["twice the same", "0-8+ 0-8+ 8-12", "held held 32", "held held 52"],
    ["a part of what came in one run", "0-8+ 8-16+ 0-16+ 16-20", "held held held 40", "held held held 60"],
    [
      "over what came in two",
      "0-8+ 16-24+ 8-16+ 0-16+ 24-28",
      "held held held held held",
      "held held held held held",
    ],
    ["that overlap", "0-16+ 8-20 16-20", "held held held", "held held held"],
    [
      "that overlap, and then all once more",
      "0-16+ 8-20 0-16+ 16-20",
      "held held held 40",
      "held held held 60",
    ],
    ["behind the end", "8-12 8-16+ 0-8+", "held held held", "held held 52"],
    ["with another end", "8-12 8-14 0-8+", "held held held", "held held 52"],
    ["with an end before what came", "16-24+ 8-12 0-8+ 8-12", "held held held 32", "held held held held"],
    ["without data", "0-0+ 0-8+ 8-12", "held held 32", "held held 52"],
    ["without data, in the middle", "0-8+ 8-8+ 8-12", "held held held", "held held 52"],
    ["of an odd length", "0-12+ 8-12", "held 32", "held held"],
  ])("%s", (_name, pieces, four, six) => {
    expect(lengths({ family: 4, pieces })).toBe(four);
    expect(lengths({ family: 6, pieces })).toBe(six);
  });

  test("of two datagrams do not meet", () => {
    const datagrams = newDatagrams();
    expect(lengths({ family: 4, id: 1, pieces: "0-8+" }, datagrams)).toBe("held");
    expect(lengths({ family: 4, id: 2, pieces: "8-12" }, datagrams)).toBe("held");
    expect(lengths({ family: 4, id: 1, pieces: "8-12" }, datagrams)).toBe("32");
    expect(datagrams[4].datagrams.size).toBe(1);
  });

  test.each<[Family, bigint]>([
    [4, 30n * SECOND],
    [6, 60n * SECOND],
  ])("of IPv%i are awaited for %i ns", (family, patience) => {
    const complete = (at: bigint) => {
      const datagrams = newDatagrams();
      lengths({ family, pieces: "0-8+" }, datagrams, SECOND);
      return lengths({ family, pieces: "8-12" }, datagrams, SECOND + at) !== "held";
    };
    expect([complete(patience - 1n), complete(patience)]).toEqual([true, false]);
  });

  test("are not begun when too many wait", () => {
    const datagrams = newDatagrams();
    for (let id = 0; id < 0x1800; id++) lengths({ family: 4, id, pieces: "0-8+" }, datagrams);
    expect(datagrams[4].datagrams.size).toBeLessThan(5500);
    expect(lengths({ family: 4, id: 0x1801, pieces: "0-8+ 8-12" }, datagrams)).toBe("held held");
    expect(lengths({ family: 6, id: 0x1801, pieces: "0-8+ 8-12" }, datagrams)).toBe("held 52");
  });

  test.each<[Family, number, string]>([
    [4, 63, "32"],
    [4, 64, "held"],
    [6, 64, "52"],
  ])("of IPv%i with %i fragments of the same source between them", (family, between, whole) => {
    const datagrams = newDatagrams();
    const send = (id: number, pieces: string) => lengths({ family, id, pieces }, datagrams);
    send(7, "0-8+");
    for (let id = 100; id < 100 + between; id++) send(id, "0-8+");
    expect(send(7, "8-12")).toBe(whole);
  });

  test("that make more than 65,535 bytes are no datagram", () => {
    const large = (end: number) => lengths({ family: 4, pieces: `0-40000+ 40000-65000+ 65000-${end}` });
    expect(large(65_515)).toBe("held held 65535");
    expect(large(65_516)).toBe("held held held");
  });
});

describe("the whole", () => {
  const ecn = (...codes: readonly number[]): string =>
    lengths({
      family: 6,
      pieces: "0-8+ 8-12",
      bytes: (bytes, index) => bytes.writeUInt8((codes[index] ?? 0) << 4, 1),
    });

  test.each([
    [[1, 2], "held 52"],
    [[2, 3], "held 52"],
    [[0, 2], "held held"],
    [[3, 0], "held held"],
  ])("with congestion bits %j: %s", (codes, expected) => {
    expect(ecn(...codes)).toBe(expected);
  });

  test("met congestion if one piece did", () => {
    const datagrams = newDatagrams();
    const mark = (bytes: Buffer, index: number) => bytes.writeUInt8((index === 0 ? 2 : 3) << 4, 1);
    const sent: Sent = { family: 6, pieces: "0-8+ 8-12", bytes: mark };
    wholeDatagram(packetOf(sent, "0-8+", 0), datagrams);
    expect(wholeDatagram(packetOf(sent, "8-12", 1), datagrams)?.bytes[1]).toBe(0x30);
  });

  test("must not be cut if the largest piece said so", () => {
    const whole = (said: number): number | undefined => {
      const datagrams = newDatagrams();
      const say = (bytes: Buffer, index: number) => {
        if (index === said) bytes.writeUInt8((bytes[6] ?? 0) | 0x40, 6);
      };
      const sent: Sent = { family: 4, pieces: "", bytes: say };
      wholeDatagram(packetOf(sent, "0-16+", 0), datagrams);
      return wholeDatagram(packetOf(sent, "16-20", 1), datagrams)?.bytes[6];
    };
    expect([whole(0), whole(1)]).toEqual([0x40, 0]);
  });
});
