import { expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Rule } from "../../src/compiler/ir/policy.js";
import { reportShadows } from "../../src/compiler/passes/shadows.js";
import { address, and, number, policy, rule } from "../support/ir.js";

/** What `check` says of rules as a whole, where they are larger than people write them. */

/** So many addresses that have no prefix in common: as many boxes. */
function hosts(field: "ip.src" | "ip.dst", count: number): Expr {
  const texts = Array.from(
    { length: count },
    (_, index) => `2001:db8:${index.toString(16)}::${(index + 1).toString(16)}`,
  );
  return address(field, ...texts);
}

function codesOf(...rules: readonly Rule[]): readonly string[] {
  const diagnostics = new Diagnostics();
  const base = policy([]);
  const [owned] = base.prefixes;
  const prefixes = owned
    ? [{ ...owned, prefix: { family: 6, base: 0x2001_0db8n << 96n, length: 32 } } as const]
    : [];
  reportShadows({ ...base, prefixes, firewall: { ...base.firewall, default: "allow", rules } }, diagnostics);
  return diagnostics.all.map(({ code, message }) => `${code} ${message}`);
}

const tooMany = rule("many", "drop", and(hosts("ip.src", 200), hosts("ip.dst", 200)));

test("a condition of too many cases is not looked at, and it is said", () => {
  expect(codesOf(tooMany)).toEqual([
    "TG3015 whether packets get to the rule `many` was not found out: its condition has too many cases",
  ]);
});

test("others beside it still are", () => {
  const web = number("tcp.dstport", 80);
  const found = codesOf(rule("web", "drop", web), tooMany, rule("again", "allow", web));
  expect(found.map((text) => text.slice(0, 6))).toEqual(["TG3011", "TG3015"]);
});

test("a list of ten thousand hosts is looked at", () => {
  const many = hosts("ip.src", 10_000);
  const found = codesOf(rule("many", "drop", many), rule("again", "allow", many));
  expect(found.map((text) => text.slice(0, 6))).toEqual(["TG3011"]);
});
