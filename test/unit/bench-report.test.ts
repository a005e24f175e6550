import { describe, expect, test } from "vitest";
import { iptablesChain, linearChain, plainSet } from "../../bench/nft/rulesets.js";
import { type Chart, renderChart } from "../../bench/report/chart.js";
import { renderTable } from "../../bench/report/table.js";
import { ANY_PORT, ANY_PREFIX, type FlowRule, prefixAt } from "../../bench/rulesets/flow-rule.js";
import { median, medians, quantile } from "../../bench/statistics.js";

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
