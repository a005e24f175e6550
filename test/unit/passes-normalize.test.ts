import { expect, test } from "vitest";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { printExpr } from "../../src/compiler/ir/print.js";
import { normalize } from "../../src/compiler/passes/normalize.js";
import { address, and, bits, constant, inList, not, number, or, xor } from "../support/ir.js";

const http = number("tcp.dstport", 80);
const https = number("tcp.dstport", 443);
const dns = number("udp.dstport", 53);
const syn = bits("tcp.flags", 2);
const ten = address("ip.src", "10.0.0.0/8");

test.each<[string, Expr, Expr]>([
  ["nested `and` is flat", and(http, and(syn, ten)), and(http, syn, ten)],
  ["ports joined by `or` are one test", or(http, ten, https), or(number("tcp.dstport", 80, 443), ten)],
  ["ports that touch are one range", or(http, number("tcp.dstport", 81)), number("tcp.dstport", [80, 81])],
  ["two ports at once are impossible", and(http, https), constant(false)],
  ["TCP and UDP at once are impossible", and(http, dns), constant(false)],
  [
    "alternatives that another operand excludes go",
    and(dns, or(syn, number("udp.len", 8))),
    and(dns, number("udp.len", 8)),
  ],
  ["and with them all, the rest", and(dns, or(and(syn, ten), http)), constant(false)],
  ["but not those of a negation", and(dns, or(not(syn), ten)), and(dns, or(not(syn), ten))],
  ["ICMP is IPv4 only", and(number("icmp.type", 8), address("ip.src", "::/0")), constant(false)],
  [
    "addresses of two families do not merge",
    or(ten, address("ip.src", "::1")),
    or(ten, address("ip.src", "::1")),
  ],
  ["a negated test stays a negated test", not(http), not(http)],
  ["`not` goes inwards", not(or(ten, and(http, syn))), and(not(ten), or(not(http), not(syn)))],
  ["negated ports merge the other way", and(not(http), not(https)), not(number("tcp.dstport", 80, 443))],
  ["not TCP, or not UDP: always", or(not(http), not(dns)), constant(true)],
  ["two negations are none", not(not(http)), http],
  [
    "all ports are not everything: UDP has none",
    number("tcp.dstport", [0, 65535]),
    number("tcp.dstport", [0, 65535]),
  ],
  ["a test and its negation", and(syn, not(syn)), constant(false)],
  ["a test or its negation", or(syn, not(syn)), constant(true)],
  ["flags joined by `or` are one mask", or(syn, bits("tcp.flags", 16)), bits("tcp.flags", 18)],
  ["flags joined by `and` stay two", and(syn, bits("tcp.flags", 16)), and(syn, bits("tcp.flags", 16))],
  ["lists are data and never merge", or(inList("ip.src", "a", 4), ten), or(inList("ip.src", "a", 4), ten)],
  [
    "the same list twice is one",
    or(inList("ip.src", "a", 4), inList("ip.src", "a", 4)),
    inList("ip.src", "a", 4),
  ],
  ["`and` of nothing is true", and(), constant(true)],
  ["`or` of nothing is false", or(), constant(false)],
  ["constants vanish", or(and(http, constant(true)), constant(false)), http],
  ["an empty mask is false", bits("tcp.flags", 0), constant(false)],
  ["`xor` with true is `not`", xor(http, constant(true)), not(http)],
  ["`xor` of equals is false", xor(http, ten, http), ten],
  ["`not` leaves `xor`", xor(not(http), ten), not(xor(http, ten))],
])("%s", (_, expr, normal) => {
  expect(printExpr(normalize(expr))).toBe(printExpr(normal));
});
