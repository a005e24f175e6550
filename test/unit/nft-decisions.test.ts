import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Expr, Test } from "../../src/compiler/ir/expr.js";
import { contains } from "../../src/compiler/ir/intervals.js";
import { alternativesOf } from "../../src/targets/nft/alternatives.js";
import type { Condition } from "../../src/targets/nft/condition.js";
import { type Decisions, decisionsOf, MAX_LINES } from "../../src/targets/nft/decisions.js";
import { anyExpr } from "../support/firewall-policies.js";
import { and, number, or } from "../support/ir.js";

/** A packet as far as conditions go: its family, its protocol, its header lengths, and which conditions hold that fit those. */
interface Packet {
  readonly family: 4 | 6;
  readonly protocol: bigint;
  readonly lengths: Readonly<Record<string, number>>;
  readonly holding: (text: string) => boolean;
}

const anyPacket: fc.Arbitrary<Packet> = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  protocol: fc.constantFrom(1n, 6n, 17n, 58n, 47n),
  lengths: fc.record({
    "tcp doff": fc.integer({ min: 0, max: 15 }),
    "gre flags": fc.constantFrom(0, 32, 64),
  }),
  holding: fc.func(fc.boolean()),
});

function holds(condition: Condition, { family, protocol, lengths, holding }: Packet): boolean {
  if (condition.family !== null && condition.family !== family) return false;
  if (!contains(condition.protocols, protocol)) return false;
  if (condition.one) return lengths[condition.one.of] === condition.one.value;
  return condition.layer === "protocol" || holding(condition.text);
}

function evaluate(expr: Expr, ask: (test: Test) => boolean): boolean {
  switch (expr.kind) {
    case "and":
      return expr.operands.every((operand) => evaluate(operand, ask));
    case "or":
      return expr.operands.some((operand) => evaluate(operand, ask));
    case "xor":
      return expr.operands.filter((operand) => evaluate(operand, ask)).length % 2 === 1;
    case "not":
      return !evaluate(expr.operand, ask);
    case "const":
      return expr.value;
    default:
      return ask(expr);
  }
}

function decide({ lines, otherwise }: Decisions, packet: Packet): boolean {
  const line = lines.find(({ conditions }) => conditions.every((condition) => holds(condition, packet)));
  return line ? line.holds : otherwise;
}

describe("decisions of an expression", () => {
  test.each(["whole", "laterFragment"] as const)("say what it says on every packet (%s)", (part) => {
    fc.assert(
      fc.property(anyExpr, fc.array(anyPacket, { minLength: 8, maxLength: 8 }), (expr, packets) => {
        const decisions = decisionsOf(expr, part);
        fc.pre(decisions !== undefined);
        for (const packet of packets) {
          const ask = (asked: Test) =>
            alternativesOf(asked, part).some((all) => all.every((condition) => holds(condition, packet)));
          expect(decide(decisions, packet)).toBe(evaluate(expr, ask));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("have no line for what no packet can be", () => {
    const tcpAndUdp = and(number("tcp.dstport", 80), number("udp.dstport", 80));
    expect(decisionsOf(tcpAndUdp, "whole")).toEqual({ lines: [], otherwise: false });
    const icmpInIpv6 = and(number("icmp.type", 8), number("icmp6.type", 128));
    expect(decisionsOf(icmpInIpv6, "whole")).toEqual({ lines: [], otherwise: false });
    const grePort = and(number("ip.proto", 47), number("tcp.dstport", 80));
    expect(decisionsOf(grePort, "whole")).toEqual({ lines: [], otherwise: false });
  });

  test("are given up where alternatives multiply, and not before", () => {
    const clauses = Array.from({ length: 8 }, (_, i) =>
      or(number("tcp.srcport", 2 * i), number("tcp.dstport", 2 * i + 1)),
    );
    expect(decisionsOf(and(...clauses), "whole")?.lines).toHaveLength(2 ** 8);
    const more = or(number("tcp.srcport", 100), number("tcp.dstport", 101));
    expect(decisionsOf(and(...clauses, more), "whole")).toBeUndefined();
  });

  test("are as many as the alternatives where those only add up", () => {
    const ports = Array.from({ length: MAX_LINES }, (_, i) => number("tcp.dstport", 2 * i));
    expect(decisionsOf(or(...ports), "whole")?.lines).toHaveLength(MAX_LINES);
    expect(decisionsOf(or(...ports, number("udp.dstport", 1)), "whole")).toBeUndefined();
  });
});
