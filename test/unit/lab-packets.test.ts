import { describe, expect, it } from "vitest";
import { formatCounters, moved, ofStages, sameCounters } from "../../examples/lab/counters.js";
import { packetBytes, sameButTtl, ttl } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";

/** A pcap stream with one record per packet; see draft-ietf-opsawg-pcap. */
function pcap(linkType: number, packets: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(linkType, 20);
  const records = packets.map((packet) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return Buffer.concat([record, packet]);
  });
  return Buffer.concat([header, ...records]);
}

describe("a pcap stream", () => {
  const packets = [Buffer.from("450000", "hex"), Buffer.from("600000", "hex")];
  const stream = pcap(
    1,
    packets.map((packet) => Buffer.concat([Buffer.alloc(14), packet])),
  );

  it.each([1, 7, 24, 1000])("gives the IP packets when it comes in chunks of %i bytes", (size) => {
    const reader = new PcapReader();
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(reader.packets).toEqual(packets);
    expect(reader.file).toEqual(stream);
  });

  it("has no link header on a raw device", () => {
    const reader = new PcapReader();
    reader.push(pcap(101, packets));
    expect(reader.packets).toEqual(packets);
  });

  it("is refused when its link type is unknown", () => {
    expect(() => new PcapReader().push(pcap(147, []))).toThrow("link type 147");
  });
});

describe("a packet that was routed", () => {
  const sent = "udp 192.0.2.99:1 > 203.0.113.9:2 payload=01";
  const sent6 = "udp [2001:db8::9]:1 > [2001:db8::2]:2 payload=01";

  it.each([
    ["with a lower TTL", `${sent} ttl=61`, sent, true],
    ["with a lower hop limit", `${sent6} ttl=61`, sent6, true],
    ["with another payload", sent.replace("=01", "=02"), sent, false],
    ["with another port", sent.replace(":2 ", ":3 "), sent, false],
    ["with another DSCP", `${sent} dscp=1`, sent, false],
    ["of the other family", sent6, sent, false],
  ])("%s", (_, arrived, original, same) => {
    expect(sameButTtl(packetBytes(arrived), packetBytes(original))).toBe(same);
  });

  it("is the same with Ethernet's padding behind it", () => {
    const packet = packetBytes(sent);
    expect(sameButTtl(Buffer.concat([packet, Buffer.alloc(20)]), packet)).toBe(true);
    expect(ttl(packet)).toBe(64);
  });
});

describe("counters", () => {
  const before = new Map([
    ["root/foreign", 1],
    ["acme firewall/ftp", 5],
  ]);
  const after = new Map([
    ["root/foreign", 3],
    ["acme firewall/ftp", 5],
    ["acme mitigate/bogons", 1],
    ["acme return-passed", 2],
  ]);

  it("that stood still did not move", () => {
    expect(formatCounters(moved(before, after))).toBe(
      "root/foreign +2, acme mitigate/bogons +1, acme return-passed +2",
    );
  });

  it("of stages are those of rules and defaults", () => {
    const ofRules = ofStages(moved(before, after));
    expect(sameCounters(ofRules, new Map([["acme mitigate/bogons", 1]]))).toBe(true);
    expect(sameCounters(ofRules, new Map([["acme mitigate/bogons", 2]]))).toBe(false);
    expect(sameCounters(ofRules, new Map())).toBe(false);
  });
});
