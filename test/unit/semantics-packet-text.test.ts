import { describe, expect, test } from "vitest";
import { formatPacket } from "../../src/compiler/semantics/packet-format.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

function bytesOf(text: string): Buffer {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  return Buffer.from(parsed.bytes);
}

describe("text becomes bytes (checksums confirmed with tshark)", () => {
  const v6 = "20010db8000000000000000000000007 20010db8000100000000000000000001";
  test.each([
    [
      "udp 192.0.2.7:53 > 203.0.113.9:9 payload=6869",
      "4500001e0000000040117cbe c0000207cb007109 00350009000a99216869",
    ],
    [
      "icmp 192.0.2.7 > 203.0.113.9 payload=01",
      "4500001d0000000040017ccf c0000207cb007109 0800f6ff0000000001",
    ],
    ["proto=47 192.0.2.7 > 203.0.113.9 ttl=1 dscp=46 id=77", "45b80014004d0000012fbaa5 c0000207cb007109"],
    ["udp [2001:db8::7]:53 > [2001:db8:1::1]:9", `6000000000081140 ${v6} 003500090008a425`],
    [
      "udp [2001:db8::7]:53 > [2001:db8:1::1]:9 frag=0+ id=99",
      `6000000000102c40 ${v6} 1100000100000063 003500090008a425`,
    ],
    ["udp 192.0.2.7 > 203.0.113.9 frag=8+ payload=aabb", "450000160000200140115cc5 c0000207cb007109 aabb"],
    ["tcp 192.0.2.7:40000 > 203.0.113.100:21 len=22", "450000160000000040067c76 c0000207cb007164 9c40"],
    ["hex=4500", "4500"],
  ])("%s", (text, hex) => {
    expect(bytesOf(text).toString("hex")).toBe(hex.replaceAll(" ", ""));
  });

  test("len= fills a packet up with zeros", () => {
    expect(bytesOf("udp 192.0.2.7:53 > 203.0.113.9:9 len=60")).toHaveLength(60);
  });

  test.each([
    ["hex=45", { vlan: null, connection: 8 }],
    ["hex=45 vlan=4095 ct=untracked", { vlan: 4095, connection: 64 }],
    ["udp 192.0.2.7:53 > 203.0.113.9:9 vlan=0x64", { vlan: 100, connection: 8 }],
    ["udp 192.0.2.7:53 > 203.0.113.9:9 ct=established at=5", { vlan: null, connection: 2 }],
    ["icmp 192.0.2.7 > 203.0.113.9 ct=related", { vlan: null, connection: 4 }],
    ["proto=47 192.0.2.7 > 203.0.113.9 ct=invalid", { vlan: null, connection: 1 }],
    ["tcp 192.0.2.7:1 > 203.0.113.9:2 ct=new vlan=0", { vlan: 0, connection: 8 }],
  ])("%s: what is known besides the bytes", (text, surroundings) => {
    expect(parsePacket(text)).toMatchObject({ kind: "packet", surroundings });
  });

  test("at= is a time in nanoseconds, beside the bytes", () => {
    expect(parsePacket("hex=45 at=1000000007 # later")).toMatchObject({ kind: "packet", at: 1000000007n });
  });

  test.each([
    ["S", 0x02],
    ["SA", 0x12],
    ["FSRPAUEW", 0xff],
  ])("flags=%s", (letters, flags) => {
    expect(bytesOf(`tcp 192.0.2.7:1 > 203.0.113.9:2 flags=${letters}`)[33]).toBe(flags);
  });
});

describe("a mistake is shown in the text", () => {
  test.each([
    ["", ""],
    ["tpc 192.0.2.7:1 > 203.0.113.9:2", "tpc"],
    ["proto=256 192.0.2.7 > 203.0.113.9", "256"],
    ["tcp 192.0.2.7:1 -> 203.0.113.9:2", "->"],
    ["tcp 192.0.2.7:1", "192.0.2.7:1"],
    ["tcp 192.0.2.300:1 > 203.0.113.9:2", "192.0.2.300:1"],
    ["tcp 192.0.2.7 > 203.0.113.9:2", "192.0.2.7"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:70000", "203.0.113.9:70000"],
    ["tcp 192.0.2.7:1 > [2001:db8::1]:2", "[2001:db8::1]:2"],
    ["icmp 192.0.2.7:1 > 203.0.113.9", "192.0.2.7:1"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 flags=S", "flags=S"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:2 flags=SXA", "X"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 ttl=1 ttl=2", "ttl=2"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 ttl", "ttl"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 ttl=256", "256"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 len=19", "19"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 frag=7", "7"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 payload=abc", "abc"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 at=soon", "soon"],
    ["udp [2001:db8::7]:1 > [2001:db8::8]:2 id=1", "1"],
    ["udp 192.0.2.7:1 > 203.0.113.9:2 vlan=4096", "4096"],
    ["hex=45 ct=opened", "opened"],
    ["icmp 2001:db8::7 > 2001:db8::8", "icmp"],
    ["icmp6 192.0.2.7 > 203.0.113.9", "icmp6"],
    ["hex=45g0", "45g0"],
    ["hex=45 ttl=1", "ttl=1"],
  ])("%s", (text, culprit) => {
    const parsed = parsePacket(text);
    const problems = parsed.kind === "problems" ? parsed.problems : [];
    expect(problems.map(({ start, end }) => text.slice(start, end))).toEqual([culprit]);
  });

  test.each([
    ["hex=45 ct=estblished", "did you mean `established`?"],
    ["hex=45 ct=open", "write invalid, established, related, new, untracked"],
    ["icmp 2001:db8::7 > 2001:db8::8", "write `icmp6`"],
    ["icmp6 192.0.2.7 > 203.0.113.9", "write `icmp`"],
  ])("%s: %s", (text, hint) => {
    const parsed = parsePacket(text);
    expect(parsed.kind === "problems" && parsed.problems[0]?.message).toContain(hint);
  });

  test("several mistakes are all reported", () => {
    const parsed = parsePacket("tcp 192.0.2.300:1 > 203.0.113.9:70000 flags=X ttl=999");
    expect(parsed.kind === "problems" && parsed.problems).toHaveLength(4);
  });
});

describe("bytes become the shortest exact text", () => {
  test.each([
    "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=SA",
    "tcp [2001:db8::7]:40000 > [2001:db8:1::1]:21 flags=S ttl=3 dscp=46",
    "udp 192.0.2.7:53 > 203.0.113.9:9 id=7 payload=6869",
    "udp 192.0.2.7:53 > 203.0.113.9:9 len=60",
    "icmp 192.0.2.7 > 203.0.113.9 type=3 code=1",
    "icmp6 2001:db8::7 > 2001:db8::8 type=128 code=0",
    "proto=47 192.0.2.7 > 203.0.113.9",
    "proto=17 192.0.2.7 > 203.0.113.9 frag=1480+ payload=aabb",
    "proto=6 2001:db8::7 > 2001:db8::8 id=9 frag=8",
    "udp [2001:db8::7]:53 > [2001:db8:1::1]:9 id=99 frag=0+",
  ])("%s", (text) => {
    expect(formatPacket(bytesOf(text))).toBe(text);
  });

  test("what the short forms cannot say is written as bytes", () => {
    const options = bytesOf("udp 192.0.2.7:53 > 203.0.113.9:9");
    options[10] = 0;
    expect(formatPacket(options)).toBe(`hex=${options.toString("hex")}`);
    expect(formatPacket(Uint8Array.from([0x45]))).toBe("hex=45");
  });
});
