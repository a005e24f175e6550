// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import { describe, expect, test } from "vitest";
import { CATALOGUE, type Code } from "../../src/compiler/diagnostics/catalogue/index.js";
import { printExpr } from "../../src/compiler/ir/print.js";
import { readParts } from "../support/reading.js";

function inRule(text: string, before = "") {
  return readParts({ before, rules: `allow("r", expr\`${text}\`)` });
}

function meaning(text: string, before = ""): string {
  const { policy, found } = inRule(text, before);
  const match = policy?.firewall.rules[0]?.match;
  if (!match) throw new Error(JSON.stringify(found));
  return printExpr(match);
}

describe("an expression becomes tests that say what they need", () => {
  test.each([
    ["ip.src == 192.0.2.7", "ip.src[ip4:16] in {192.0.2.7}"],
    ["ip.src != 192.0.2.7", "ip.src[ip4:16] in {0.0.0.0..192.0.2.6 192.0.2.8..255.255.255.255}"],
    [
      "ip.dst in {203.0.113.0/25 203.0.113.128..203.0.113.130}",
      "ip.dst[ip4:20] in {203.0.113.0..203.0.113.130}",
    ],
    ["ip.src in {2001:db8::/32}", "ip.src[ip6:24] in {2001:db8::/32}"],
    ['ip.proto == "tcp"', "ip.proto[proto:1] in {6}"],
    ['ip.proto in {"udp" 6}', "ip.proto[proto:1] in {6 17}"],
    ["tcp.dstport == 80", "tcp.dstport[tcp:4] in {80}"],
    ["tcp.dstport != 80", "tcp.dstport[tcp:4] in {0..79 81..65535}"],
    ["tcp.dstport < 80", "tcp.dstport[tcp:4] in {0..79}"],
    ["tcp.dstport <= 80", "tcp.dstport[tcp:4] in {0..80}"],
    ["tcp.dstport > 80", "tcp.dstport[tcp:4] in {81..65535}"],
    ["tcp.dstport >= 80", "tcp.dstport[tcp:4] in {80..65535}"],
    ["udp.srcport in {53 1000..2000 1500..3000}", "udp.srcport[udp:2] in {53 1000..3000}"],
    ["tcp.flags & 0x12", "tcp.flags[tcp:14] & 0x12"],
    ["tcp.flags == 0x12", "tcp.flags[tcp:14] in {18}"],
    ["tcp.flags.syn and not tcp.flags.ack", "(tcp.flags[tcp:14] & 0x2 and not tcp.flags[tcp:14] & 0x10)"],
    ["icmp.type == 8 or icmp6.type == 128", "(icmp.type[icmp:1] in {8} or icmp6.type[icmp6:1] in {128})"],
    ["udp.len > 100 xor ip.src == ::1", "(udp.len[udp:6] in {101..65535} xor ip.src[ip6:24] in {::1})"],
    ["ip.ttl < 5", "(ip4.ttl[ip4:9] in {0..4} or ip6.hop_limit[ip6:8] in {0..4})"],
    ["ip.version == 4", "ip.src[ip4:16] in {0.0.0.0/0}"],
    ["ip.version != 4", "ip.src[ip6:24] in {::/0}"],
    ["ip.len == 40", "(ip4.len[ip4:4] in {40} or ip6.payload_len[ip6:6] in {0})"],
    ["ip.len < 40", "ip4.len[ip4:4] in {0..39}"],
    ["ip.hdr_len > 20", "(ip4.hdr_words[ip4:1] in {6..15} or ip.src[ip6:24] in {::/0})"],
    ["ip.frag", "(ip4.frag[ip4:8] in {1..16383} or fragment6.field[fragment6:4] in {1 3 5 7..65535})"],
    ["ip.frag.first", "(ip4.frag[ip4:8] in {8192} or fragment6.field[fragment6:4] in {1 3 5 7})"],
    ["ip.frag.offset == 8", "(ip4.frag.offset[ip4:8] in {1} or fragment6.offset[fragment6:4] in {1})"],
    ["port.dst == 53", "(tcp.dstport[tcp:4] in {53} or udp.dstport[udp:4] in {53})"],
    ["port.dst & 1", "(tcp.dstport[tcp:4] & 0x1 or udp.dstport[udp:4] & 0x1)"],
    ["gre.key == 7", "gre.key[greKey:4] in {7}"],
    ["eth.vlan == 100", "eth.vlan[vlan:2] in {100}"],
    ["bit_slice(udp, 64, 72) == 1", "udp[64:8][udp:9] in {1}"],
    ["bit_slice(ip, 0, 4) == 4", "(ip4[0:4][ip4:1] in {4} or ip6[0:4][ip6:1] in {4})"],
    [
      "payload.u16(2) == 5",
      "(tcpPayload[16:16][tcpPayload:4] in {5} or udp[80:16][udp:12] in {5} or icmp[80:16][icmp:12] in {5} or icmp6[80:16][icmp6:12] in {5})",
    ],
    ['ip.proto contains "icmp"', "ip.proto[proto:1] in {1 58}"],
    ['ip.proto matches "^(tcp|udp)$"', "ip.proto[proto:1] in {6 17}"],
  ])("%s", (text, expected) => {
    expect(meaning(text)).toBe(expected);
  });

  test("a list of both families is a test for each", () => {
    const before = 'const both = list(["192.0.2.0/24", "2001:db8::1"]);';
    expect(meaning(`ip.src in \${both}`, before)).toBe(
      "(ip.src[ip4:16] in list both or ip.src[ip6:24] in list both)",
    );
  });

  test("a list of one family is one test", () => {
    const before = 'const badGuys = list(["192.0.2.0/24"]);';
    expect(meaning(`not ip.src in \${badGuys}`, before)).toBe("not ip.src[ip4:16] in list bad-guys");
  });
});

/** null stands for the hint of the catalogue. */
describe("what does not fit together is refused", () => {
  test.each([
    ["ip.sorce == 192.0.2.7", "TG2001", "ip.sorce", "did you mean `ip.src`?"],
    ["constructor == 1", "TG2001", "constructor", null],
    ['ip.src.country == "DE"', "TG2002", "ip.src.country", null],
    ["ip.len & 1", "TG2003", "ip.len & 1", "`ip.len` is no row of bits"],
    [
      "tcp.dstport contains 80",
      "TG2003",
      "tcp.dstport contains 80",
      "only names can be searched, such as those of ip.proto; for numbers use a set or a range",
    ],
    ["ip.version == 7", "TG2006", "7", null],
    ["ip.dscp == 64", "TG2006", "64", null],
    ["bit_slice(tcp, 8, 8) == 1", "TG2013", "8", null],
    ["bit_slice(tcp, 0, 33) == 1", "TG2013", "33", null],
    ["bit_slice(tcp, 2041, 2042) == 1", "TG2013", "2041", null],
    ["bit_slice(gre, 0, 8) == 1", "TG2013", "gre", null],
    ["bit_slice(tcp) == 1", "TG2013", "bit_slice(tcp)", null],
    ["payload.u8(300) == 1", "TG2013", "300", null],
    ["payload.u8 == 1", "TG1107", "payload.u8", null],
    ["payload.u8(1) == 256", "TG2006", "256", null],
    ["lowest(ip.src) == 1", "TG1106", "lowest", null],
    ['ip.proto matches "(tcp"', "TG2014", '"(tcp"', null],
    ['ip.proto matches "a{9}"', "TG2014", '"a{9}"', null],
    ['ip.proto contains "zz"', "TG2008", '"zz"', null],
    [
      "ip.src < 192.0.2.7",
      "TG2003",
      "ip.src < 192.0.2.7",
      "for a range of addresses write `ip.src in {LOW..HIGH}`",
    ],
    ["ip.src & 1", "TG2003", "ip.src & 1", "for a range of addresses write `ip.src in {LOW..HIGH}`"],
    ["tcp.flags.syn == 1", "TG2003", "tcp.flags.syn == 1", "write `tcp.flags.syn` or `not tcp.flags.syn`"],
    [
      "tcp.flags.syn in {1}",
      "TG2003",
      "tcp.flags.syn in {1}",
      "write `tcp.flags.syn` or `not tcp.flags.syn`",
    ],
    ['ip.proto < "tcp"', "TG2003", 'ip.proto < "tcp"', "names have no order: use == or !="],
    ["ip.src == 80", "TG2004", "80", null],
    ['ip.src == "192.0.2.7"', "TG2004", '"192.0.2.7"', "write addresses without quotes"],
    [
      'ip.src == ${"192.0.2.300"}',
      "TG2004",
      '${"192.0.2.300"}',
      "addresses are like 192.0.2.1 or 2001:db8::1",
    ],
    ["tcp.dstport == 192.0.2.7", "TG2004", "192.0.2.7", null],
    ['tcp.dstport == "80"', "TG2004", '"80"', "write 80 without quotes"],
    ["tcp.dstport in {80 192.0.2.7}", "TG2004", "192.0.2.7", null],
    ['ip.proto == "tpc"', "TG2005", '"tpc"', "did you mean `tcp`?"],
    ["tcp.dstport == 70000", "TG2006", "70000", null],
    ["tcp.dstport in {80 1..70000}", "TG2006", "70000", null],
    ["tcp.flags & 0x100", "TG2006", "0x100", null],
    ["icmp.type == 256", "TG2006", "256", null],
    ["tcp.dstport", "TG2007", "tcp.dstport", "write `tcp.dstport == …`"],
    ["ip.src", "TG2007", "ip.src", "write `ip.src in {…}`"],
    [
      "ip.src in {10.0.0.0/8 2001:db8::/32}",
      "TG2009",
      "2001:db8::/32",
      "write two sets, joined by `or`, or put the addresses into a `list`",
    ],
    [
      "ip.dst == 198.51.100.1",
      "TG2019",
      "ip.dst == 198.51.100.1",
      "this policy's prefixes are 203.0.113.0/24, 2001:db8:a::/48",
    ],
    [
      "ip.dst in {198.51.100.0/24 192.0.2.1..192.0.2.9}",
      "TG2019",
      "ip.dst in {198.51.100.0/24 192.0.2.1..192.0.2.9}",
      "this policy's prefixes are 203.0.113.0/24, 2001:db8:a::/48",
    ],
  ] satisfies readonly (readonly [string, Code, string, string | null])[])(
    "%s",
    (text, code, underlined, hint) => {
      const { policy, found } = inRule(text);
      const expected = [code, underlined, hint ?? CATALOGUE[code].hint];
      expect(found.map((one) => [one.code, one.underlined, one.hint])).toEqual([expected]);
      expect(policy).toBeUndefined();
    },
  );

  test.each([
    ["an empty set", "", `ip.src in {\${[]}}`],
    ["an empty array", "const none = [];", `ip.src in \${none}`],
    ["an empty list", "const none = list([]);", `ip.src in \${none}`],
  ])("%s", (_, before, text) => {
    expect(inRule(text, before).found.map((one) => one.code)).toEqual(["TG2008"]);
  });

  test("a list compared with a number", () => {
    const { found } = inRule(`tcp.dstport in \${both}`, 'const both = list(["192.0.2.0/24"]);');
    expect(found.map((one) => one.code)).toEqual(["TG2004"]);
  });

  test("a list whose addresses are all somebody else's destinations", () => {
    const { found } = inRule(`ip.dst in \${theirs}`, 'const theirs = list(["198.51.100.0/24"]);');
    expect(found.map((one) => one.code)).toEqual(["TG2019"]);
  });

  test("all mistakes of all rules, in source order", () => {
    const { found } = readParts({
      mitigate: 'drop("a", expr`ip.sorce == 192.0.2.1 or tcp.dstport == 70000`)',
      rules: 'allow("b", expr`tcp.dstport`), allow("c", expr`ip.src in {10.0.0.0/8 ::1}`)',
    });
    expect(found.map((one) => one.code)).toEqual(["TG2001", "TG2006", "TG2007", "TG2009"]);
  });
});

describe("a set from which everything is taken away is an empty set", () => {
  const before = `
    const all = ["10.0.0.0/8", "11.0.0.0/8"];
    const some = list(["10.1.0.0/16", "10.2.0.1"]);
    const both = list(["10.0.0.0/8", "2001:db8::/32"]);
    const inAll = expr\`ip.src in \${all}\`;`;

  test.each([
    ["ip.src in {10.0.0.0/8} and not ip.src in {10.0.0.0/8}", "ip.src in {10.0.0.0/8}"],
    ["not ip.src in {10.0.0.0/8} and ip.src in {10.1.0.0/16}", "ip.src in {10.1.0.0/16}"],
    ["ip.src == 10.0.0.1 and ip.src != 10.0.0.1", "ip.src == 10.0.0.1"],
    ["ip.src in {10.0.0.0/31} and ip.src != 10.0.0.0 and ip.src != 10.0.0.1", "ip.src in {10.0.0.0/31}"],
    ["ip.src in ${[...all]} and not ip.src in ${all}", "ip.src in ${[...all]}"],
    ["ip.src in ${some} and not ip.src in ${some}", "ip.src in ${some}"],
    ["ip.src in ${some} and not ip.src in ${both}", "ip.src in ${some}"],
    ["ip.src in ${all} and not ${inAll}", "ip.src in ${all}"],
    ["${inAll} and tcp.flags.syn and not (${inAll} or tcp.flags.ack)", "ip.src in ${all}"],
    [
      "(ip.src in {10.0.0.0/8} and (tcp.flags.syn and not ip.src in {10.0.0.0/8})) or tcp.flags.ack",
      "ip.src in {10.0.0.0/8}",
    ],
    ["not (ip.src == ::1 and not ip.src in {::/64})", "ip.src == ::1"],
    ["tcp.dstport in {80 443} and not tcp.dstport in {1..1000}", "tcp.dstport in {80 443}"],
    ["tcp.flags.syn xor (tcp.dstport == 80 and tcp.dstport != 80)", "tcp.dstport == 80"],
  ])("%s", (text, underlined) => {
    const found = inRule(text, before).found.filter(({ code }) => code !== "TG3004");
    expect(found).toEqual([expect.objectContaining({ code: "TG2012", underlined })]);
  });

  test.each([
    "ip.src in {10.0.0.0/8} and not ip.src in {10.0.0.0/9}",
    "ip.src in {10.0.0.0/8} and not ip.dst in {203.0.113.0/24}",
    "ip.src in ${both} and not ip.src in {10.0.0.0/8}",
    "ip.src in {10.0.0.0/8} or not ip.src in {10.0.0.0/8}",
    "ip.src in {10.0.0.0/8} xor not ip.src in {10.0.0.0/8}",
    "ip.src == ::1 and not ip.src in {0.0.0.0/0}",
    "ip.src == ::1 and not ip.src != ::1",
  ])("something is left: %s", (text) => {
    expect(inRule(text, before).found.map(({ code }) => code)).not.toContain("TG2012");
  });
});

describe("what cannot be meant is a warning", () => {
  test.each([
    ["tcp.dstport < 0", ["TG3002"]],
    ["tcp.dstport < 0 and tcp.flags.syn", ["TG3002", "TG3001"]],
    ["tcp.flags & 0", ["TG3002"]],
    ["tcp.dstport >= 0", ["TG3003"]],
    ["ip.proto <= 255", ["TG3003"]],
    ["port.dst >= 0", ["TG3003"]],
    ["tcp.option.mss >= 0", []],
    ["ip.frag.offset >= 0", []],
    ["payload.u8(0) >= 0", []],
    ["bit_slice(tcp, 160, 192) >= 0", []],
    ["ip.src in {::/0}", []],
    ["tcp.dstport == 80 and tcp.dstport == 443", ["TG3001"]],
    ["tcp.dstport == 80 and udp.dstport == 53", ["TG3001"]],
    ["not tcp.dstport == 80", ["TG3004"]],
    ["not tcp.flags.syn", ["TG3004"]],
    ["not not tcp.flags.syn", []],
    ["not (not tcp.flags.syn and not udp.len > 8)", []],
    ["not (not tcp.flags.syn and udp.len > 8)", ["TG3004"]],
    ["not (tcp.flags.syn xor not tcp.flags.ack)", ["TG3004"]],
    ["not tcp.option.mss >= 0", []],
    ["not (tcp.dstport == 80 or udp.dstport == 53)", ["TG3004"]],
    ["not port.dst == 80", ["TG3004"]],
    ["not ip.ttl == 1", []],
    ["ip.version in {4 6}", []],
    ["not ip.frag", []],
    ["tcp.flags.syn and not tcp.option.mss == 1460", ["TG3004"]],
    ["tcp.option.mss > 0 and not tcp.dstport == 80", []],
    ["ip.len >= 20", ["TG3003"]],
    ["ip.len < 20", ["TG3002"]],
    ["ip.hdr_len == 21", ["TG3002"]],
    ["tcp.dstport in {80 80}", ["TG3008"]],
    ["tcp.dstport in {80..90 85 443}", ["TG3008"]],
    ["ip.src in {10.1.0.0/16 10.0.0.0/8}", ["TG3008"]],
    ["tcp.dstport in {80..90 85..95}", []],
    ["udp.dstport == 53 or not icmp.type == 8", ["TG3004"]],
    ["tcp.flags.syn and not tcp.flags.ack", []],
    ['ip.proto == "tcp" and not tcp.dstport == 80', []],
    ['(tcp.flags.syn or ip.proto == "tcp") and not tcp.dstport == 80', []],
    ['(ip.src == 192.0.2.7 or ip.proto == "tcp") and not tcp.dstport == 80', ["TG3004"]],
    ["not ip.src in {10.0.0.0/8}", []],
    ["ip.dst in {203.0.113.9 198.51.100.1}", ["TG3006"]],
    ["ip.dst in {203.0.0.0/16}", []],
    ["ip.dst != 198.51.100.1", []],
  ])("%s", (text, codes) => {
    const { policy, found } = inRule(text);
    expect(found.map((one) => one.code).sort()).toEqual([...codes].sort());
    expect(policy).toBeDefined();
  });

  test.each([
    ["not tcp.dstport == 80", "write `tcp.dstport != 80`", "udp 192.0.2.7:5000 > 203.0.113.0:5000"],
    ["not tcp.flags.syn", 'put `ip.proto == "tcp" and` before it', "udp 192.0.2.7:5000 > 203.0.113.0:5000"],
    ["not udp.dstport == 53", "write `udp.dstport != 53`", "tcp 192.0.2.7:5000 > 203.0.113.0:5000 flags=S"],
    ["not port.dst == 53", "write `port.dst != 53`", "TCP or UDP, such as `icmp 192.0.2.7 > 203.0.113.0`"],
    ["not payload.u8(0) == 1", null, "proto=132 192.0.2.7 > 203.0.113.0"],
  ])("%s has a witness and a hint", (text, hint, witness) => {
    const [found] = inRule(text).found;
    expect(found?.hint).toBe(hint);
    expect(found?.message).toContain(witness);
  });

  test.each([
    ["ip.dst == 203.0.113.80 and not tcp.dstport == 443", "udp 192.0.2.7:5000 > 203.0.113.80:5000"],
    ["ip.src in {198.51.100.0/24} and not tcp.flags.syn", "udp 198.51.100.0:5000 > 203.0.113.0:5000"],
    ["ip.src in ${partners} and not tcp.flags.syn", "udp 198.51.100.64:5000 > 203.0.113.0:5000"],
    ["ip.version == 6 and not icmp6.type == 1", "udp [2001:db8::7]:5000 > [2001:db8:a::]:5000"],
    ["udp.dstport == 53 and not tcp.dstport == 80", "udp 192.0.2.7:5000 > 203.0.113.0:53"],
    ["tcp.flags.syn and not tcp.option.mss == 1460", "tcp 192.0.2.7:5000 > 203.0.113.0:5000 flags=S"],
    ["not ip.proto == 17 and not tcp.dstport == 80", "icmp 192.0.2.7 > 203.0.113.0"],
    // Nothing that is tried fits: then the witness is of the `not` alone.
    ["ip.ttl == 1 and not tcp.dstport == 80", "udp 192.0.2.7:5000 > 203.0.113.0:5000"],
  ])("the witness of %s is a packet that the rule matches", (text, witness) => {
    const before = 'const partners = list(["198.51.100.64/26"]);\n';
    expect(inRule(text, before).found.map(({ message }) => message)).toEqual([
      expect.stringContaining(`\`${witness}\``),
    ]);
  });
});
