import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { slice } from "../../src/compiler/ir/wire.js";
import { nft } from "../../src/targets/nft/target.js";
import { firewall, hourly } from "../support/firewall-policies.js";
import {
  address,
  and,
  bits,
  constant,
  inList,
  limit,
  list,
  not,
  number,
  or,
  policy,
  rule,
  spanAt,
  tunnel,
  xor,
} from "../support/ir.js";
import { asking } from "../support/probe-answers.js";

function emitted(policy: Policy): string {
  return nft.emit(policy)[0]?.text ?? "";
}

/** The lines of one chain, without comments; none where there is no such chain. */
function chain(policy: Policy, name: string): readonly string[] {
  const [, rest = ""] = emitted(policy).split(`\tchain ${name} {\n`);
  const [body = ""] = rest.split("\n\t}");
  const lines = body.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** What a rule becomes in a chain, without the default behind it. */
function ruleLines(action: Rule["action"] | "drop", match: Expr, chainName: string): readonly string[] {
  const lines = chain(firewall([rule("r", action, match)]), chainName);
  return lines.filter((line) => !line.startsWith("counter name default"));
}

const ftp = and(address("ip.dst", "203.0.113.100"), number("tcp.dstport", [20, 21]));
const DROP = 'counter name rule-r drop comment "r"';

type MatchCase = readonly [name: string, match: Expr, lines: readonly string[]];

const MATCHES: readonly MatchCase[] = [
  ["an address and a port", ftp, ["ip daddr 203.0.113.100 tcp dport 20-21"]],
  ["a prefix", address("ip.src", "10.0.0.0/8"), ["ip saddr 10.0.0.0/8"]],
  ["a range that is no prefix", address("ip.src", "10.0.0.1-10.0.0.7"), ["ip saddr 10.0.0.1-10.0.0.7"]],
  ["all addresses of a family", address("ip.src", "0.0.0.0/0"), ["meta nfproto ipv4"]],
  ["an IPv6 prefix", address("ip.src", "2001:db8:1::/48"), ["ip6 saddr 2001:db8:1::/48"]],
  ["several addresses", address("ip.src", "10.0.0.0/8", "192.0.2.1"), ["ip saddr { 10.0.0.0/8, 192.0.2.1 }"]],
  ["several ports", number("udp.dstport", 53, 123, [5000, 5010]), ["udp dport { 53, 123, 5000-5010 }"]],
  ["all but one port", number("tcp.dstport", [0, 79], [81, 65535]), ["tcp dport & 0xffff != 80"]],
  ["any port", number("tcp.dstport", [0, 65535]), ["tcp dport 0-65535"]],
  ["a list", inList("ip.src", "partners", 6), ["ip6 saddr @list-partners-6"]],
  ["a protocol of either family", number("ip.proto", 47), ["meta l4proto 47"]],
  ["flags as a number", number("tcp.flags", 2), ["tcp flags == 0x02"]],
  ["flags as several numbers", number("tcp.flags", 2, 18), ["tcp flags { 0x02, 0x12 }"]],
  ["one of several flags", bits("tcp.flags", 0x12), ["tcp flags & 0x12 != 0"]],
  ["ICMP, of IPv4 only", number("icmp.type", 8), ["meta nfproto ipv4 icmp type 8"]],
  ["ICMPv6, of IPv6 only", number("icmp6.type", 128), ["meta nfproto ipv6 icmpv6 type 128"]],
  [
    "a protocol that the port implies",
    and(number("ip.proto", 6, 17), number("udp.dstport", 53)),
    ["udp dport 53"],
  ],
  [
    "two questions of the protocol",
    and(number("ip.proto", [1, 17]), bits("ip.proto", 0x10)),
    ["meta l4proto 16-17"],
  ],
  [
    "headers from the outside in",
    and(bits("tcp.flags", 2), address("ip.src", "10.0.0.0/8")),
    ["ip saddr 10.0.0.0/8 tcp flags & 0x02 != 0"],
  ],
  [
    "alternatives, each with what is asked of all",
    and(or(address("ip.src", "10.0.0.0/8"), address("ip.src", "::1")), number("tcp.dstport", 80)),
    ["ip saddr 10.0.0.0/8 tcp dport 80", "ip6 saddr ::1 tcp dport 80"],
  ],
  ["a time to live", number("ip4.ttl", [0, 5]), ["ip ttl <= 5"]],
  ["a part of a byte", number("ip4.dscp", 10, [20, 30]), ["ip dscp { 10, 20-30 }"]],
  ["bits of a part of a byte", bits("ip4.dscp", 0x05), ["meta nfproto ipv4 @nh,8,8 & 0x14 != 0"]],
  ["a fragment by IPv4's header", number("ip4.frag", [1, 0x3fff]), ["ip frag-off & 0x3fff 0x01-0x3fff"]],
  ["an offset in IPv4's header", number("ip4.frag.offset", [5, 9]), ["ip frag-off & 0x1fff 0x05-0x09"]],
  ["an offset in IPv6's fragment header", number("fragment6.offset", [1, 8191]), ["frag frag-off 1-8191"]],
  [
    "a first fragment by IPv6's fragment header, whatever its reserved bits",
    number("fragment6.field", 1, 3, 5, 7),
    ["frag frag-off 0 frag more-fragments 1"],
  ],
  [
    "any fragment by IPv6's fragment header",
    number("fragment6.field", 1, 3, 5, [7, 65_535]),
    ["frag frag-off 1-8191", "frag frag-off 0 frag more-fragments 1"],
  ],
  [
    "reserved bits of IPv6's fragment header",
    number("fragment6.field", 2, 6, 11),
    [
      "frag frag-off 0 frag reserved2 { 1, 3 } frag more-fragments 0",
      "frag frag-off 1 frag reserved2 { 1 } frag more-fragments 1",
    ],
  ],
  [
    "a first next header, not as nft's protocol",
    and(number("ip6.next_header", 60), number("udp.dstport", 53)),
    ["meta nfproto ipv6 @nh,48,8 60 udp dport 53"],
  ],
  ["an IPv4 option, where there is one", number("ip4.option.type", 131), ["ip hdrlength 6-15 @nh,160,8 131"]],
  ["a TCP option", number("tcp.option.mss", [0, 535]), ["tcp option maxseg size <= 535 meta l4proto 6"]],
  [
    "a set with ranges of flags",
    number("tcp.flags", 1, [3, 5]),
    ["@th,104,8 { 0x01, 0x03-0x05 } meta l4proto 6"],
  ],
  ["GRE, of which nft knows little", number("gre.proto", 0x0800), ["@th,16,16 2048 meta l4proto 47"]],
  [
    "a GRE key where the flags put it",
    number("gre.key", 7),
    [
      "@th,0,16 & 0xe007 == 0x2000 @th,32,32 7 meta l4proto 47",
      "@th,0,16 & 0xe007 { 0x6000, 0xa000, 0xe000 } @th,64,32 7 meta l4proto 47",
    ],
  ],
  ["bytes of a header", number(slice("udp", 64, 16), 5), ["@th,64,16 5 meta l4proto 17"]],
  ["bits of a header", number(slice("udp", 67, 9), 5), ["@th,64,16 & 0x1ff0 == 0x50 meta l4proto 17"]],
  [
    "bytes of ICMP, of IPv4 only",
    number(slice("icmp", 64, 8), 5),
    ["meta nfproto ipv4 @th,64,8 5 meta l4proto 1"],
  ],
  [
    "TCP's payload behind each length of its header",
    number(slice("tcpPayload", 8, 8), 5),
    Array.from({ length: 11 }, (_, i) => `tcp doff ${5 + i} @th,${160 + 32 * i + 8},8 5`),
  ],
  [
    "states of a connection",
    or(number("ct.state", 2, [4, 7]), bits("ct.state", 9)),
    ["ct state { established, related }", "ct state { invalid, new }"],
  ],
  ["a state that there is not", number("ct.state", 3), []],
  ["an alternative that cannot be", and(ftp, or(number("udp.dstport", 1), number("ip.proto", 17))), []],
  ["nothing", or(), []],
  ["a set of nothing", address("ip.src"), []],
];

describe("a drop rule", () => {
  test.each(MATCHES)("matches %s", (_name, match, lines) => {
    expect(ruleLines("drop", match, "firewall")).toEqual(lines.map((line) => `${line} ${DROP}`));
  });

  test("that matches everything has no match", () => {
    expect(ruleLines("drop", constant(true), "firewall")).toEqual([DROP]);
  });

  test("with a negation returns from a chain of its own", () => {
    const match = and(number("udp.dstport", 53), not(address("ip.src", "10.0.0.0/8")));
    expect(ruleLines("drop", match, "firewall")).toEqual(['jump match-r comment "r"']);
    expect(ruleLines("drop", match, "match-r")).toEqual([
      "ip saddr 10.0.0.0/8 udp dport 53 return",
      `udp dport 53 ${DROP}`,
    ]);
  });

  test("with an exclusive or does too", () => {
    const match = xor(number("ip.proto", 6), address("ip.src", "10.0.0.0/8"));
    expect(ruleLines("drop", match, "match-r")).toEqual([
      "ip saddr 10.0.0.0/8 meta l4proto 6 return",
      `meta l4proto 6 ${DROP}`,
      `ip saddr 10.0.0.0/8 ${DROP}`,
    ]);
  });
});

describe("later fragments", () => {
  test("have no transport header", () => {
    expect(ruleLines("drop", ftp, "later-fragments")).toEqual([]);
    expect(ruleLines("drop", not(number("tcp.dstport", 80)), "later-fragments")).toEqual([DROP]);
    expect(ruleLines("drop", or(number("icmp.type", 8), number("ip.proto", 47)), "later-fragments")).toEqual([
      `meta l4proto 47 ${DROP}`,
    ]);
  });

  test("have a chain of their own for a rule that needs one", () => {
    const match = and(number("ip.proto", 6), not(address("ip.src", "10.0.0.0/8")));
    expect(ruleLines("drop", match, "later-fragments")).toEqual(['jump fragment-r comment "r"']);
    expect(ruleLines("drop", match, "fragment-r")).toEqual(ruleLines("drop", match, "match-r"));
  });
});

describe("a limit", () => {
  test("by source has a bucket for each key, and forgets a key when its bucket is full", () => {
    const policy = firewall([rule("dns", limit(5000, 12_500, "ip.src"), number("udp.dstport", 53))]);
    expect(chain(policy, "firewall")[0]).toBe('udp dport 53 jump limit-dns comment "dns"');
    expect(chain(policy, "limit-dns")).toEqual([
      "update @limit-dns-4 { ip saddr limit rate 5000/second burst 12500 packets } return",
      "update @limit-dns-6 { ip6 saddr limit rate 5000/second burst 12500 packets } return",
      'counter name rule-dns drop comment "dns"',
    ]);
    expect(emitted(policy)).toContain(
      "\tset limit-dns-4 {\n\t\ttype ipv4_addr\n\t\tsize 65536\n\t\tflags dynamic,timeout\n\t\ttimeout 3s\n\t}\n",
    );
  });

  test("of an hour's packets keeps its keys for hours", () => {
    const policy = firewall([rule("slow", hourly(25, "ip.dst"), constant(true))]);
    expect(emitted(policy)).toContain("\t\ttimeout 1d1h\n");
  });

  test("without a key is one bucket", () => {
    const policy = firewall([rule("all", limit(10, 20, null), constant(true))]);
    expect(chain(policy, "limit-all")[0]).toBe("limit rate 10/second burst 20 packets return");
    expect(emitted(policy)).not.toContain("set limit-");
  });

  test.each([
    ["s", "second", 1_000_000_000n],
    ["m", "minute", 60_000_000_000n],
    ["h", "hour", 3_600_000_000_000n],
  ] as const)("of N/%s is one of N/%s", (unit, word, interval) => {
    const terms = { interval, burst: 5n, per: null, rate: { count: 1, unit } };
    const policy = firewall([rule("all", { kind: "limit", limit: terms }, constant(true))]);
    expect(chain(policy, "limit-all")[0]).toBe(`limit rate 1/${word} burst 5 packets return`);
  });

  test("with alternatives judges a packet once: it leaves the rule's chain by goto", () => {
    const match = or(number("udp.dstport", 53), number("ip.proto", 17));
    const action = limit(1, 1, null);
    expect(ruleLines(action, match, "firewall")).toEqual(['jump match-r comment "r"']);
    expect(ruleLines(action, match, "match-r")).toEqual([
      'udp dport 53 goto limit-r comment "r"',
      'meta l4proto 17 goto limit-r comment "r"',
    ]);
  });
});

describe("the table", () => {
  const partners = list("partners", "10.0.0.0/8", "10.128.0.0-11.0.0.5", "0.0.0.0");
  const unused = list("unused", "10.0.0.0/8");

  test("has the lists that the firewall asks for, element by element", () => {
    const text = emitted(
      firewall([rule("p", "allow", not(inList("ip.src", "partners", 4)))], [unused, partners]),
    );
    expect(text).toContain(
      "\tset list-partners-4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = {\n" +
        "\t\t\t0.0.0.0,\n\t\t\t10.0.0.0-11.0.0.5\n\t\t}\n\t}\n",
    );
    expect(text).not.toContain("partners-6");
    expect(text).not.toContain("unused");
  });

  test("has a counter for each rule and the default's verdict", () => {
    const policy = firewall([rule("a", "allow", ftp), rule("b", "drop", ftp)], [], "allow");
    const names = [...emitted(policy).matchAll(/counter ([a-z-]+) \{/g)].map(([, name]) => name);
    expect(names).toEqual(["rule-a", "rule-b", "default", "foreign", "return-passed", "return-spoofed"]);
    expect(chain(policy, "firewall").at(-1)).toBe('counter name default accept comment "default"');
  });

  test("says where a rule was written, whatever the file is called", () => {
    expect(emitted(firewall([rule("ftp", "allow", ftp, 21)]))).toContain(
      '\t\t# rule "ftp" (acme.policy.ts:21)\n\t\tip daddr',
    );
    const span = { ...spanAt(1), file: "a/b\nflush ruleset\n.policy.ts" };
    const hostile = emitted({ ...firewall([{ ...rule("ftp", "allow", ftp), span }]), span });
    expect(hostile).not.toMatch(/^\s*flush/m);
  });

  test("refuses a name that could be syntax", () => {
    expect(() => emitted(firewall([rule("x; flush ruleset", "allow", ftp)]))).toThrow("safe name");
  });
});

test("the way back is open to answers from private addresses that tunnels ask, each once", () => {
  const tunnels = [
    asking("a", "10.0.0.1"),
    asking("b", "10.0.0.1"),
    asking("c", "fd00::1"),
    asking("d", "192.0.2.1"),
    asking("e", "10.0.0.2", "reply"),
  ];
  expect(chain({ ...firewall([]), tunnels }, "way-back").slice(0, -3)).toEqual([
    "ip saddr 10.0.0.1 ip hdrlength 5 ip length 84 ip frag-off & 0x3fff == 0 icmp type echo-reply @th,64,64 0x7469646567617465 counter name return-passed accept",
    "ip6 saddr fd00::1 ip6 nexthdr icmpv6 ip6 length 64 icmpv6 type echo-reply @th,64,64 0x7469646567617465 counter name return-passed accept",
  ]);
});

test("a rule whose alternatives multiply is refused at its name", () => {
  const either = (i: number) => or(number("tcp.srcport", i), number("tcp.dstport", i));
  const match = and(...Array.from({ length: 12 }, (_, i) => either(i)));
  const diagnostics = new Diagnostics();
  nft.check(firewall([rule("fine", "drop", ftp, 1), rule("huge", "drop", match, 2)]), diagnostics);
  expect(diagnostics.all).toMatchObject([
    {
      code: "TG4050",
      message: "the alternatives of rule `huge` multiply to more than 512 lines of nftables",
      span: { line: 2 },
    },
  ]);
});

test("a VLAN tag is refused at the place that asks for it", () => {
  const tag: Expr = { ...number("eth.vlan", 7), span: spanAt(9) };
  const diagnostics = new Diagnostics();
  nft.check(firewall([rule("guests", "drop", and(ftp, not(tag)), 1)]), diagnostics);
  expect(diagnostics.all).toMatchObject([
    { code: "TG4051", message: "rule `guests` asks for a VLAN tag in the firewall", span: { line: 9 } },
  ]);
});

describe("the MSS of connections", () => {
  const through = (...tunnels: Policy["tunnels"]) =>
    /chain segment-size \{([^}]*)\}/.exec(emitted({ ...policy([]), tunnels }))?.[1];

  test("is lowered in both directions and both families", () => {
    const rules = through(tunnel("home", "198.51.100.1"))?.match(/^.*maxseg.*$/gm);
    expect(rules?.map((rule) => rule.trim().replace(/gre-[0-9a-f]{8}/, "gre-NAME"))).toEqual([
      'oifname "gre-NAME" meta nfproto ipv4 tcp option maxseg size set 1436',
      'iifname "gre-NAME" meta nfproto ipv4 tcp option maxseg size set 1436',
      'oifname "gre-NAME" meta nfproto ipv6 tcp option maxseg size set 1416',
      'iifname "gre-NAME" meta nfproto ipv6 tcp option maxseg size set 1416',
    ]);
  });

  test("is left alone where no tunnel asks for it", () => {
    expect(through(tunnel("home", "198.51.100.1", { mss: null }))).toBeUndefined();
    expect(through()).toBeUndefined();
  });
});
