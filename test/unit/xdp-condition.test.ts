import { describe, expect, test } from "vitest";
import { InternalError } from "../../src/compiler/diagnostics/invariant.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { slice } from "../../src/compiler/ir/wire.js";
import { layout } from "../../src/targets/xdp/condition.js";
import { condition } from "../../src/targets/xdp/expr.js";
import { address, and, bits, constant, inList, not, number, or, xor } from "../support/ir.js";

function c(expr: Expr): string {
  return layout("", condition(expr), "")
    .map((line) => line.trim())
    .join(" ");
}

const syn = bits("tcp.flags", 0x02);
const ack = bits("tcp.flags", 0x10);

describe("an expression in C", () => {
  test.each<[string, Expr, string]>([
    ["an IPv4 address", address("ip.src", "10.0.0.1"), "p->family == 4 && p->src4 == TG_IP4(10, 0, 0, 1)"],
    [
      "an IPv4 prefix",
      address("ip.dst", "10.0.0.0/8"),
      "p->family == 4 && tg_in4(p->dst4, TG_IP4(10, 0, 0, 0), 8)",
    ],
    [
      "an IPv4 range that is no prefix",
      address("ip.src", "10.0.0.1-10.0.0.9"),
      "p->family == 4 && tg_between(p->src4, TG_IP4(10, 0, 0, 1), TG_IP4(10, 0, 0, 9))",
    ],
    [
      "several addresses",
      address("ip.src", "10.0.0.0/8", "192.168.0.0/16"),
      "p->family == 4 && (tg_in4(p->src4, TG_IP4(10, 0, 0, 0), 8) || tg_in4(p->src4, TG_IP4(192, 168, 0, 0), 16))",
    ],
    ["every IPv4 address", address("ip.src", "0.0.0.0/0"), "p->family == 4"],
    [
      "all IPv4 addresses but one",
      address("ip.src", "0.0.0.0-10.0.0.0", "10.0.0.2-255.255.255.255"),
      "p->family == 4 && p->src4 != TG_IP4(10, 0, 0, 1)",
    ],
    [
      "all IPv4 addresses but a prefix",
      address("ip.src", "0.0.0.0-9.255.255.255", "11.0.0.0-255.255.255.255"),
      "p->family == 4 && !tg_in4(p->src4, TG_IP4(10, 0, 0, 0), 8)",
    ],
    [
      "an IPv6 address",
      address("ip.src", "2001:db8::1"),
      "p->family == 6 && tg_is6(&p->src6, TG_IP6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x1))",
    ],
    [
      "an IPv6 prefix",
      address("ip.dst", "2001:db8::/32"),
      "p->family == 6 && tg_in6(&p->dst6, TG_IP6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32)",
    ],
    [
      "an IPv6 range",
      address("ip.dst", "fe80::1-fe80::3"),
      "p->family == 6 && tg_between6(&p->dst6, TG_IP6(0xfe80, 0, 0, 0, 0, 0, 0, 0x1), TG_IP6(0xfe80, 0, 0, 0, 0, 0, 0, 0x3))",
    ],
    [
      "an IPv4 list",
      inList("ip.src", "bad-hosts", 4),
      "p->family == 4 && tg_listed4(&list_bad_hosts_4, p->src4)",
    ],
    ["an IPv6 list", inList("ip.dst", "x", 6), "p->family == 6 && tg_listed6(&list_x_6, &p->dst6)"],
    ["a protocol", number("ip.proto", 47), "p->proto_known && p->ip_proto == 47"],
    ["a port", number("tcp.dstport", 80), "p->tcp_bytes >= 4 && p->tcp_dstport == 80"],
    [
      "ports from … to",
      number("udp.srcport", [20, 21]),
      "p->udp_bytes >= 2 && tg_between(p->udp_srcport, 20, 21)",
    ],
    ["ports below", number("tcp.srcport", [0, 1023]), "p->tcp_bytes >= 2 && p->tcp_srcport <= 1023"],
    ["ports above", number("tcp.srcport", [1024, 65535]), "p->tcp_bytes >= 2 && p->tcp_srcport >= 1024"],
    [
      "any port but one",
      number("tcp.dstport", [0, 79], [81, 65535]),
      "p->tcp_bytes >= 4 && p->tcp_dstport != 80",
    ],
    [
      "any port but two",
      number("tcp.dstport", [0, 79], [81, 442], [444, 65535]),
      "p->tcp_bytes >= 4 && p->tcp_dstport != 80 && p->tcp_dstport != 443",
    ],
    ["any port: the header is there", number("tcp.dstport", [0, 65535]), "p->tcp_bytes >= 4"],
    ["a length", number("udp.len", 8), "p->udp_bytes >= 6 && p->udp_len == 8"],
    ["a window", number("tcp.window", 0), "p->tcp_bytes >= 16 && p->tcp_window == 0"],
    ["an ICMP type", number("icmp.type", 8), "p->icmp_bytes >= 1 && p->icmp_type == 8"],
    ["an ICMPv6 code", number("icmp6.code", 0), "p->icmp6_bytes >= 2 && p->icmp6_code == 0"],
    ["all flags", number("tcp.flags", 2), "p->tcp_bytes >= 14 && p->tcp_flags == 0x02"],
    ["a flag", syn, "p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_SYN)"],
    [
      "some of two flags",
      bits("tcp.flags", 0x12),
      "p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_SYN | TG_TCP_ACK)",
    ],
    ["bits of another field", bits("tcp.dstport", 1), "p->tcp_bytes >= 4 && tg_any(p->tcp_dstport, 0x01)"],
    [
      "a place of IPv4's header",
      number("ip4.ttl", [0, 4]),
      "p->family == 4 && tg_read(p, ctx, p->ip, 64, 8 /* ip4.ttl */) && p->number <= 4",
    ],
    [
      "a place of IPv6's header",
      number("ip6.flow", 7),
      "p->family == 6 && tg_read(p, ctx, p->ip, 12, 20 /* ip6.flow */) && p->number == 7",
    ],
    [
      "bits behind IPv4's fixed header",
      bits(slice("ip4", 160, 9), 5),
      "p->family == 4 && p->length >= 22 && tg_read(p, ctx, p->ip, 160, 9) && tg_any(p->number, 0x05)",
    ],
    [
      "bits of a transport header",
      number(slice("udp", 64, 32), 0xdeadbeef),
      "p->udp_bytes >= 12 && tg_read(p, ctx, p->transport, 64, 32) && p->number == 3735928559",
    ],
    [
      "GRE's protocol",
      number("gre.proto", 0x0800),
      "p->gre_bytes >= 4 && tg_read(p, ctx, p->transport, 16, 16 /* gre.proto */) && p->number == 0x800",
    ],
    [
      "IPv6's fragment header",
      bits("fragment6.more", 1),
      "p->fragment6_bytes >= 4 && tg_read(p, ctx, p->fragment6, 31, 1 /* fragment6.more */) && tg_any(p->number, 0x01)",
    ],
    [
      "the first IPv4 option",
      number("ip4.option.type", 7),
      "p->ip4_option_bytes >= 1 && tg_read(p, ctx, p->ip4_option, 0, 8 /* ip4.option.type */) && p->number == 7",
    ],
    [
      "payload of TCP",
      number(slice("tcpPayload", 8, 8), 1),
      "p->tcp_payload_bytes >= 2 && tg_read(p, ctx, p->tcp_payload, 8, 8) && p->number == 1",
    ],
    [
      "the MSS option",
      number("tcp.option.mss", [0, 535]),
      "p->tcp_mss_bytes >= 2 && tg_read(p, ctx, p->tcp_mss, 0, 16 /* tcp.option.mss */) && p->number <= 535",
    ],
    [
      "GRE's key",
      number("gre.key", 1),
      "p->gre_key_bytes >= 4 && tg_read(p, ctx, p->gre_key, 0, 32 /* gre.key */) && p->number == 1",
    ],
    ["a VLAN", number("eth.vlan", 7), "p->tagged && (p->vlan & 0xfff) == 7"],
    ["a VLAN's priority", number(slice("vlan", 0, 3), 5), "p->tagged && (p->vlan >> 13 & 0x7) == 5"],
    [
      "several values, read once",
      number("ip4.dscp", 10, [20, 30]),
      "p->family == 4 && tg_read(p, ctx, p->ip, 8, 6 /* ip4.dscp */) && (p->number == 10 || tg_between(p->number, 20, 30))",
    ],
    [
      "any value: the bytes are there",
      number(slice("ip6", 320, 8), [0, 255]),
      "p->family == 6 && p->length >= 41",
    ],
    [
      "and asks for the family once, and for the length only where it is new",
      and(number("ip4.ttl", 1), not(number(slice("ip4", 160, 8), 2))),
      "p->family == 4 && tg_read(p, ctx, p->ip, 64, 8 /* ip4.ttl */) && p->number == 1 && !(p->length >= 21 && tg_read(p, ctx, p->ip, 160, 8) && p->number == 2)",
    ],
    ["no value at all", number("tcp.dstport"), "p->tcp_bytes >= 4 && false"],
    ["true", constant(true), "true"],
    ["and of nothing", and(), "true"],
    ["or of nothing", or(), "false"],
    ["xor of nothing", xor(), "false"],
    [
      "and asks for a header once, with the most bytes",
      and(number("tcp.srcport", 1), number("tcp.dstport", 2), not(ack)),
      "p->tcp_bytes >= 4 && p->tcp_srcport == 1 && p->tcp_dstport == 2 && !(p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_ACK))",
    ],
    [
      "what and has asked for holds inside not",
      and(syn, not(ack)),
      "p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_SYN) && !tg_any(p->tcp_flags, TG_TCP_ACK)",
    ],
    [
      "what not needs is not asked for outside",
      and(number("ip.proto", 6), not(syn)),
      "p->proto_known && p->ip_proto == 6 && !(p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_SYN))",
    ],
    ["not of a comparison", not(number("tcp.dstport", 80)), "!(p->tcp_bytes >= 4 && p->tcp_dstport == 80)"],
    ["not of one operator", not(address("ip.src", "0.0.0.0/0")), "!(p->family == 4)"],
    [
      "or asks in each of its branches",
      or(number("tcp.dstport", 53), number("udp.dstport", 53)),
      "(p->tcp_bytes >= 4 && p->tcp_dstport == 53) || (p->udp_bytes >= 4 && p->udp_dstport == 53)",
    ],
    [
      "xor",
      xor(syn, number("ip.proto", 6)),
      "tg_opaque(p, p->tcp_bytes >= 14 && tg_any(p->tcp_flags, TG_TCP_SYN)) ^ tg_opaque(p, p->proto_known && p->ip_proto == 6)",
    ],
  ])("%s", (_, expr, text) => {
    expect(c(expr)).toBe(text);
  });

  test("a long exclusive or is one of groups", () => {
    const flags = Array.from({ length: 33 }, () => constant(true));
    expect(
      c(xor(...flags))
        .split(/tg_opaque\(p, (?=tg_opaque)/)
        .map((group) => group.match(/true/g)?.length ?? 0),
    ).toEqual([0, 16, 17]);
  });

  test.each<[string, Expr]>([
    ["a connection's state", number("ct.state", 8)],
    ["a bit of it", bits("ct.state", 8)],
    ["a part of the protocol number", number(slice("proto", 2, 3), 1)],
  ])("%s is never asked for in XDP", (_, expr) => {
    expect(() => c(expr)).toThrow(InternalError);
  });

  test("a long one breaks at its operators, and no line is too long", () => {
    const ports = Array.from({ length: 6 }, (_, i) => 1000 * i + 7);
    const lines = layout("return ", condition(and(syn, not(number("tcp.dstport", ...ports)))), ";");
    expect(lines).toEqual([
      "return p->tcp_bytes >= 14 &&",
      "       tg_any(p->tcp_flags, TG_TCP_SYN) &&",
      "       !(p->tcp_dstport == 7 ||",
      "         p->tcp_dstport == 1007 ||",
      "         p->tcp_dstport == 2007 ||",
      "         p->tcp_dstport == 3007 ||",
      "         p->tcp_dstport == 4007 ||",
      "         p->tcp_dstport == 5007);",
    ]);
  });
});
