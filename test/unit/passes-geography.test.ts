import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import { type Geography, partition } from "../../src/compiler/ir/geography.js";
import { printPolicy } from "../../src/compiler/ir/print.js";
import { buildPolicy } from "../../src/compiler/passes/build-policy.js";
import { readModule } from "../../src/dsl/read-module.js";
import { policyText } from "../support/read.js";

function rows<V extends string | number>(...table: readonly (readonly [string, V])[]) {
  return table.map(([text, value]) => {
    const parsed = parsePrefix(text);
    if (parsed.kind !== "prefix") throw new Error(text);
    return { prefix: parsed.prefix, value };
  });
}

const TABLES: Geography = {
  country: partition(rows(["198.51.100.0/24", "DE"], ["198.51.100.128/25", "FR"], ["2001:db8:7::/48", "DE"])),
  asnum: partition(rows(["192.0.2.0/24", 64500], ["198.51.100.0/24", 64501])),
};

function built(expression: string) {
  const source = new SourceFile("test.policy.ts", policyText(expression));
  const diagnostics = new Diagnostics();
  const { content } = readModule("policy", source, diagnostics);
  const policy = content.kind === "policy" ? buildPolicy(content.policy, diagnostics, TABLES) : undefined;
  const found = diagnostics.all.map(({ code, span }) => `${code} ${source.text.slice(span.start, span.end)}`);
  return { text: policy ? printPolicy(policy) : "", found: found.filter((one) => !one.startsWith("TG3005")) };
}

describe("the operator's tables become lists", () => {
  test.each([
    [
      'ip.src.country == "DE"',
      "list country-de {198.51.100.0/25} {2001:db8:7::/48}",
      "(ip.src[ip4:16] in list country-de or ip.src[ip6:24] in list country-de)",
    ],
    ['ip.src.country != "DE"', "list country-fr {198.51.100.128/25} {}", "ip.src[ip4:16] in list country-fr"],
    ['ip.src.country in {"DE" "FR"}', "list country-set {198.51.100.0/24}", "in list country-set"],
    ['ip.src.country contains "R"', "list country-fr", "in list country-fr"],
    ['ip.src.country matches "^[A-D]"', "list country-de", "in list country-de"],
    ["ip.src.asnum == 64500", "list as-64500 {192.0.2.0/24} {}", "in list as-64500"],
    ["ip.src.asnum > 64500", "list as-64501", "in list as-64501"],
    ["ip.src.asnum in {64000..64500}", "list as-64500", "in list as-64500"],
  ])("%s", (expression, list, match) => {
    const { text, found } = built(expression);
    expect(found).toEqual([]);
    expect(text).toContain(list);
    expect(text).toContain(match);
  });

  test("rules that ask for the same share a list", () => {
    const { text } = built(
      '(ip.src.country == "DE" and tcp.flags.syn) or (ip.src.country == "DE" and udp.dstport == 53)',
    );
    expect(text.match(/^list/gm)).toHaveLength(1);
  });
});

describe("what the tables cannot answer is refused", () => {
  test.each([
    ['ip.src.country == "XX"', ['TG2005 "XX"']],
    ["ip.src.country == 5", ["TG2004 5"]],
    ['ip.src.country < "DE"', ['TG2003 ip.src.country < "DE"']],
    ["ip.src.country", ["TG2007 ip.src.country"]],
    ["ip.src.country & 1", ["TG2003 ip.src.country & 1"]],
    ["ip.src.asnum == 7", ["TG2005 7"]],
    ["ip.src.asnum > 70000", ["TG2008 ip.src.asnum > 70000"]],
    ['ip.src.asnum contains "6"', ['TG2003 ip.src.asnum contains "6"']],
    ['ip.src.country matches "("', ['TG2014 "("']],
  ])("%s", (expression, expected) => {
    const { text, found } = built(expression);
    expect(found).toEqual(expected);
    expect(text).toBe("");
  });
});
