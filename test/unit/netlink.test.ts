import { describe, expect, test } from "vitest";
import { readLines } from "../../runtime/netlink/lines.js";
import {
  attribute,
  message,
  readAttributes,
  readMessages,
  readText,
  text,
  u32,
} from "../../runtime/netlink/message.js";
import { route as target } from "../../src/targets/route/target.js";
import { acme, CHICAGO } from "../support/acme-edge.js";
import { tunnel } from "../support/ir.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("messages", () => {
  test("are a header, what is in it, and zeros up to four bytes", () => {
    const value = attribute(3, text("lo"));
    expect(hex(value)).toBe(hex(bytes("0700 0300 6c6f00 00")));
    expect(hex(message(18, 0x300, u32(1), value))).toBe(
      hex(bytes("1c000000 1200 0003 00000000 00000000 01000000 0700 0300 6c6f00 00")),
    );
  });

  test("are cut up where several lie behind each other, and so are their attributes", () => {
    const one = message(16, 0, attribute(3, text("a")), attribute(4, u32(1500)));
    const other = message(24, 0);
    other.writeUInt32LE(7, 8);
    const [first, second] = readMessages(Buffer.concat([one, other]));
    expect(second).toEqual({ type: 24, request: 7, body: Buffer.alloc(0) });
    const attributes = readAttributes(first?.body ?? Buffer.alloc(0));
    expect(readText(attributes.get(3) ?? Buffer.alloc(0))).toBe("a");
    expect(attributes.get(4)?.readUInt32LE()).toBe(1500);
  });

  test.each([
    ["a message shorter than its header", "08000000 1200 0000 00000000 00000000"],
    ["a message that ends behind the answer", "20000000 1200 0000 00000000 00000000"],
  ])("%s is none", (_name, wrong) => {
    expect(() => readMessages(bytes(wrong))).toThrow(/a netlink message of \d+ bytes/);
  });

  test.each([
    ["shorter than its header", "0300 0100"],
    ["that ends behind its message", "0900 0100 00000000"],
  ])("an attribute %s is none", (_name, wrong) => {
    expect(() => readAttributes(bytes(wrong))).toThrow(/a netlink attribute of \d+ bytes/);
  });
});

/** What a request would send, had each device the index 5. */
const sent = (line: string) =>
  readLines(`# a comment\n\n${line}\n`).map(({ encode }) => hex(encode(() => 5)));

describe("lines of a bundle become what ip(8) would send", () => {
  // As strace(1) shows them for ip(8), in the order of our attributes.
  test.each([
    [
      "route add blackhole 0.0.0.0/0 metric 4294967295 table 1000",
      "2c000000 1800 0006 00000000 00000000 02000000 00030006 00000000 0800 0f00 e8030000 0800 0600 ffffffff",
    ],
    [
      "route add 203.0.113.0/24 dev gre-chicago metric 101 table 1001",
      "3c000000 1800 0006 00000000 00000000 02180000 0003fd01 00000000 0800 0100 cb007100 0800 0f00 e9030000 0800 0600 65000000 0800 0400 05000000",
    ],
    [
      "route add 2001:db8:a::/48 dev gre-chicago metric 101 table 1000",
      "48000000 1800 0006 00000000 00000000 0a300000 00030001 00000000 1400 0100 20010db8000a00000000000000000000 0800 0f00 e8030000 0800 0600 65000000 0800 0400 05000000",
    ],
    [
      "nexthop add id 1000000009 group 1000000001,3/1000000002,1 type resilient buckets 130 idle_timer 20 unbalanced_timer 60",
      "58000000 6800 0006 00000000 00000000 00000000 00000000 0800 0100 09ca9a3b 1400 0200 01ca9a3b 02000000 02ca9a3b 00000000 0600 0300 01000000 1c00 0c80 0600 0100 82000000 0800 0200 d0070000 0800 0300 70170000",
    ],
  ])("%s", (line, expected) => {
    expect(sent(line)).toEqual([hex(bytes(expected))]);
  });

  test("a device comes up when no address is made up for it any more", () => {
    const [settings, up] = sent("link set dev gre-chicago mtu 1476 arp off addrgenmode none up");
    const name = "1000 0300 6772652d6368696361676f00";
    expect(settings).toBe(
      hex(
        bytes(
          `48000000 1300 0000 00000000 00000000 00000000 00000000 80000000 80000000 ${name} 0800 0400 c4050000 1000 1a00 0c00 0a00 0500 0800 01000000`,
        ),
      ),
    );
    expect(up).toBe(
      hex(bytes(`30000000 1300 0000 00000000 00000000 00000000 00000000 01000000 01000000 ${name}`)),
    );
  });

  test("all that the compiler writes is known", () => {
    const inherited = { ttl: "inherit", dscp: 46, df: "inherit" } as const;
    const tunnels = [
      CHICAGO,
      { ...CHICAGO, name: "dallas", key: 9, mtu: 1000 },
      tunnel("boston", "198.51.100.2", { kind: "ipip", ...inherited }),
      tunnel("paris", "2001:db8:ffff::1", { key: 7, dscp: 0 }),
      tunnel("rome", "2001:db8:ffff::2", { kind: "ipip", ttl: "inherit" }),
    ];
    const artifacts = target.emit(acme({ tunnels }));
    expect(artifacts).toHaveLength(1 + 3 * tunnels.length);
    const places = { $table: "1000", $anycast4: "198.18.0.1", $anycast6: "2001:db8::1" };
    for (const { text } of artifacts) {
      const lines = Object.entries(places).reduce((all, [place, it]) => all.replaceAll(place, it), text);
      expect(readLines(lines)).not.toHaveLength(0);
    }
  });
});

test.each([
  "netns exec tg-acme reboot",
  "route del 203.0.113.0/24 dev gre-chicago metric 101 table 1000",
  "route add 203.0.113.0/24 dev gre-chicago metric 101 table main",
  "route add 203.0.113.1/24 dev gre-chicago metric 101 table 1000",
  "route add 203.0.113.0/24 dev gre-chicago metric 101 table 1000 onlink",
  "link set dev gre-chicago up",
  "link add dev tg-acme-chicago type vxlan id 7",
])("`%s` is refused", (line) => {
  expect(() => readLines(line)).toThrow(`\`${line}\` is no line of a bundle`);
});
