import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Measured } from "../../bench/measure.js";
import { iptablesChain, linearChain, plainSet } from "../../bench/nft/rulesets.js";
import { barsTable } from "../../bench/report/bars.js";
import { type Chart, renderChart } from "../../bench/report/chart.js";
import { renderTable } from "../../bench/report/table.js";
import { ANY_PORT, ANY_PREFIX, type FlowRule, prefixAt } from "../../bench/rulesets/flow-rule.js";
import { classBenchSets } from "../../bench/sets.js";
import { median, medians, quantile } from "../../bench/statistics.js";
import type { XdpRow } from "../../bench/xdp/section.js";

describe("statistics", () => {
  test.each([
    [[5], 0.5, 5],
    [[4, 1, 3, 2], 0.5, 2],
    [[1, 2, 3, 4, 5], 0.5, 3],
    [Array.from({ length: 100 }, (_, i) => 100 - i), 0.99, 99],
    [[10, 9], 0, 9],
    [[10, 9], 1, 10],
  ])("of %j the value at %f is %f", (numbers, share, value) => {
    expect(quantile(numbers, share)).toBe(value);
  });

  test("of nothing there is none", () => {
    expect(median([])).toBeNaN();
  });

  test("the medians of rounds are those of each thing", () => {
    expect(medians([Uint32Array.of(1, 10), Uint32Array.of(3, 30), Uint32Array.of(2, 90)])).toEqual([2, 30]);
  });
});

describe("a table", () => {
  test("is Markdown in columns, names to the left and numbers to the right", () => {
    const columns = [{ name: "set" }, { name: "ns", digits: 1 }, { name: "wrong" }];
    const rows = [["acl", 12.34, 0], ["chain", Number.NaN, null], ["fw: does not compile"]];
    expect(renderTable({ title: "Times", columns, rows })).toBe(`### Times

| set                  |   ns | wrong |
| -------------------- | ---: | ----: |
| acl                  | 12.3 |     0 |
| chain                |    – |     – |
| fw: does not compile |    – |     – |
`);
  });
});

describe("the bars", () => {
  const nothing: Measured = {
    ...{ compile: [], xdp: [], nft: [], lists: [], replaced: [], analysis: [] },
    ...{ encapsulation: [], datapaths: [] },
  };
  const row = (ratioP50: number): XdpRow => ({
    ...{ subject: "tidegate", p50: 28, p99: 28, ratioP50, ratioP99: 2, lookups: 1 },
    ...{ loop: 7, ratioLoop: 1, varying: 20, ratioVarying: 1, varyingLookups: 1, wrong: 0 },
  });
  const result = (set: string, rules: number, ratio: number) => {
    return { set, family: "acl", rules, problem: null, rows: [row(ratio)] };
  };

  test("name the worst of the sets that they speak of", () => {
    const xdp = [result("acl 10", 10, 9), result("acl 1000", 942, 2), result("acl 10000", 9774, 4)];
    expect(barsTable({ ...nothing, xdp }).rows).toEqual([
      ["XDP, hot p50 × parse-and-drop", 3, 4, "acl 10000", "no"],
      ["XDP, hot p99 × parse-and-drop", 6, 2, "acl 1000", "yes"],
      ["XDP, varying × parse-and-drop", 5, 1, "acl 1000", "yes"],
      ["XDP, hot p50 of 10,000 rules × 1,000", 1.5, 2, "acl 10000", "no"],
    ]);
  });

  test("are left out where nothing was measured", () => {
    expect(barsTable(nothing).rows).toEqual([]);
  });
});

describe("a folder of ClassBench sets", () => {
  const line = (port: number) =>
    `@192.0.2.7/32 0.0.0.0/0 0 : 65535 ${port} : ${port} 0x06/0xFF 0x0000/0x0000`;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-sets-"));
    const write = (name: string, lines: readonly string[]) =>
      writeFileSync(join(folder, name), lines.join("\n"));
    write("fw1_1k", [...Array.from({ length: 12 }, (_, i) => line(i)), "bogus"]);
    write("README.md", ["not a rule"]);
    write("few", [line(1)]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test("are read by name, with the first ten rules of a family as one more", () => {
    const problems: string[] = [];
    const sets = classBenchSets(folder, (problem) => problems.push(problem));
    expect(sets.map(({ name, family, rules }) => [name, family, rules.length])).toEqual([
      ["few", "few", 1],
      ["fw1_1k", "fw1", 12],
      ["fw1_10", "fw1", 10],
    ]);
    expect(problems).toEqual(["fw1_1k, line 13: it is no ClassBench rule"]);
  });
});

describe("a chart", () => {
  const chart: Chart = {
    title: "a < b",
    across: "rules",
    up: { name: "ns", scale: "log" },
    lines: [
      {
        name: "one",
        points: [
          { x: 10, y: 1 },
          { x: 1000, y: 100 },
        ],
      },
      { name: "other", points: [{ x: 100, y: 10 }] },
    ],
  };

  test("puts sizes and values on their axes", () => {
    const svg = renderChart(chart);
    // The corners of the plot, and the middle between two decades.
    expect(svg).toContain('<polyline points="64,364 560,44"');
    expect(svg).toContain('<polyline points="312,204"');
    expect(svg).toContain(">1,000</text>");
    expect(svg).toContain(">a &lt; b</text>");
  });

  test("with a linear axis it starts at zero", () => {
    const svg = renderChart({ ...chart, up: { name: "×", scale: "linear" } });
    expect(svg).toContain('<polyline points="64,360.8 560,44"');
  });

  test("of nothing is an empty one", () => {
    expect(renderChart({ ...chart, lines: [] })).not.toContain("polyline");
  });
});

describe("the same rules as others write them", () => {
  const rules: readonly FlowRule[] = [
    {
      source: prefixAt(0x0a000000, 8),
      destination: prefixAt(0xcb007109, 32),
      sourcePorts: ANY_PORT,
      destinationPorts: { low: 80, high: 90 },
      protocol: 6,
    },
    {
      source: ANY_PREFIX,
      destination: prefixAt(0xcb007100, 24),
      sourcePorts: { low: 53, high: 53 },
      destinationPorts: ANY_PORT,
      protocol: null,
    },
    {
      source: ANY_PREFIX,
      destination: ANY_PREFIX,
      sourcePorts: ANY_PORT,
      destinationPorts: ANY_PORT,
      protocol: null,
    },
  ];

  test("an nft chain", () => {
    const lines = linearChain(rules)
      .split("\n")
      .map((line) => line.trim());
    expect(lines.slice(5, 8)).toEqual([
      "ip saddr 10.0.0.0/8 ip daddr 203.0.113.9/32 meta l4proto 6 th dport 80-90 drop",
      "ip daddr 203.0.113.0/24 meta l4proto { 6, 17 } th sport 53 accept",
      "meta nfproto ipv4 drop",
    ]);
  });

  test("iptables, which asks for ports of one protocol at a time", () => {
    expect(iptablesChain(rules).split("\n")).toEqual([
      "*raw",
      ":PREROUTING ACCEPT [0:0]",
      "-A PREROUTING -s 10.0.0.0/8 -d 203.0.113.9/32 -p 6 --dport 80:90 -j DROP",
      "-A PREROUTING -d 203.0.113.0/24 -p 6 --sport 53 -j ACCEPT",
      "-A PREROUTING -d 203.0.113.0/24 -p 17 --sport 53 -j ACCEPT",
      "-A PREROUTING -j DROP",
      "COMMIT",
      "",
    ]);
  });

  test("one set of their sources", () => {
    expect(plainSet(rules)).toContain("elements = { 10.0.0.0, 0.0.0.1, 0.0.0.2 }");
  });
});
