import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { printExpr } from "../../src/compiler/ir/print.js";
import { normalize } from "../../src/compiler/passes/normalize.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyExpr, firewall } from "../support/firewall-policies.js";
import { list, rule } from "../support/ir.js";

const LISTS = [list("partners", "10.0.0.0/9", "192.0.2.7", "2001:db8:1::/49", "255.255.255.255")];

function decoded(bytes: Uint8Array): readonly Packet[] {
  const result = decode(bytes);
  return result.kind === "packet" ? [result.packet] : [];
}

const exprAndPackets = anyExpr.chain((expr) =>
  fc.tuple(
    fc.constant(expr),
    fc.array(aimedPackets(firewall([rule("r", "drop", expr)], LISTS)), { minLength: 5, maxLength: 20 }),
  ),
);

/** What is wrong with the shape of a normal form, if anything. */
function violations(expr: Expr, inside: Expr["kind"] | "root"): readonly string[] {
  switch (expr.kind) {
    case "const":
      return inside === "root" ? [] : ["ConstAlone"];
    case "not": {
      const { kind } = expr.operand;
      const wrong = kind === "and" || kind === "or" || kind === "not" || kind === "const";
      return [...(wrong ? ["NotOnTests"] : []), ...violations(expr.operand, "not")];
    }
    case "and":
    case "or":
    case "xor": {
      const flat = expr.kind !== inside && expr.operands.length >= 2;
      return [
        ...(flat ? [] : ["Flat"]),
        ...expr.operands.flatMap((operand) => violations(operand, expr.kind)),
      ];
    }
    default:
      return [];
  }
}

describe("the normal form", () => {
  test("has the meaning of the expression", () => {
    fc.assert(
      fc.property(exprAndPackets, ([expr, packets]) => {
        const normal = normalize(expr);
        for (const packet of packets.flatMap(decoded)) {
          expect(matches(normal, packet, LISTS)).toBe(matches(expr, packet, LISTS));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("is its own normal form", () => {
    fc.assert(
      fc.property(anyExpr, (expr) => {
        const normal = normalize(expr);
        expect(printExpr(normalize(normal))).toBe(printExpr(normal));
      }),
      { numRuns: 3000 },
    );
  });

  test("keeps its invariants", () => {
    fc.assert(
      fc.property(anyExpr, (expr) => {
        expect(violations(normalize(expr), "root")).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });
});
