import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measured, SetResult } from "../measure.js";
import { HASH_LOOKUP, PARSE_AND_DROP } from "../xdp/section.js";
import { barsTable } from "./bars.js";
import { type Chart, type Line, renderChart } from "./chart.js";
import { machine, machineText } from "./machine.js";
import { type Cell, renderTable, type Table } from "./table.js";

export function printResults(measured: Measured): void {
  process.stdout.write(`\n${machineText(machine())}\n\n${tables(measured).map(renderTable).join("\n")}`);
}

/** The figures as JSON, as Markdown, and as charts. */
export function writeResults(folder: string, measured: Measured): void {
  mkdirSync(folder, { recursive: true });
  const about = machine();
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write("results.json", `${JSON.stringify({ machine: about, ...measured }, null, 1)}\n`);
  const head = `# Results\n\n\`npm run bench\` wrote this; [docs/bench.md](../../docs/bench.md) says what the columns mean.\n\n${machineText(about)}\n`;
  const images = charts(measured).map(({ name, chart }) => `![${chart.title}](${name})\n`);
  write("results.md", [head, ...images, ...tables(measured).map(renderTable)].join("\n"));
  for (const { name, chart } of charts(measured)) write(name, renderChart(chart));
}

function tables(measured: Measured): readonly Table[] {
  const { xdp, lists } = measured;
  const all = [
    compileTable(measured),
    xdpTable("XDP, a packet", "rules", xdp),
    nftTable(measured),
    xdpTable("XDP, a packet and a list of sources", "entries", lists),
    replacedTable(measured),
    analysisTable(measured),
    encapsulationTable(measured),
    datapathsTable(measured),
    barsTable(measured),
  ];
  return all.filter(({ rows }) => rows.length > 0);
}

/** A line for each row, and one for a problem. */
function lines<T>(
  results: readonly SetResult<T>[],
  cells: (row: T) => readonly Cell[],
): readonly (readonly Cell[])[] {
  return results.flatMap(({ set, rules, rows, problem }) => [
    ...(problem === null ? [] : [[set, rules, problem]]),
    ...rows.map((row) => [set, rules, ...cells(row)]),
  ]);
}

const MIB = 2 ** 20;

function compileTable({ compile }: Measured): Table {
  const columns = [
    ...[{ name: "set" }, { name: "rules" }, { name: "stage" }],
    ...[{ name: "read ms" }, { name: "compile ms" }, { name: "clang ms" }, { name: "all s", digits: 1 }],
    ...[{ name: "CPU s", digits: 1 }, { name: "peak MiB" }, { name: "tables KiB" }],
  ];
  const rows = lines(compile, ({ stage, ms, seconds, cpuSeconds, peakBytes, tableBytes }) => [
    ...[stage, ms.read, ms.compile, ms.clang, seconds, cpuSeconds],
    ...[peakBytes / MIB, tableBytes / 1024],
  ]);
  return { title: "Compiling", columns, rows };
}

function xdpTable(title: string, size: string, xdp: Measured["xdp"]): Table {
  const ratio = (name: string) => ({ name, digits: 2 });
  const columns = [
    ...[{ name: "set" }, { name: size }, { name: "program" }],
    ...[{ name: "p50 ns" }, ratio("×"), { name: "p99 ns" }, ratio("×"), { name: "lookups", digits: 1 }],
    ...[{ name: "loop ns" }, ratio("×"), { name: "varying ns" }, ratio("×"), { name: "lookups", digits: 1 }],
    { name: "wrong" },
  ];
  const rows = lines(xdp, (row) => [
    ...[row.subject, row.p50, row.ratioP50, row.p99, row.ratioP99, row.lookups],
    ...[row.loop, row.ratioLoop, row.varying, row.ratioVarying, row.varyingLookups],
    row.wrong,
  ]);
  return { title, columns, rows };
}

function nftTable({ nft }: Measured): Table {
  const columns = [
    ...[{ name: "set" }, { name: "rules" }, { name: "ruleset" }],
    ...[{ name: "ns" }, { name: "added ns" }, { name: "load ms" }, { name: "wrong" }],
  ];
  const rows = lines(nft, ({ subject, packet, added, load, wrong }) => {
    return [subject, packet, added, 1000 * load, wrong];
  });
  return { title: "nftables, a packet", columns, rows };
}

function replacedTable({ replaced }: Measured): Table {
  const columns = [{ name: "set" }, { name: "entries" }, { name: "KiB" }, { name: "ms" }];
  const rows = lines(replaced, ({ bytes, seconds }) => [bytes / 1024, 1000 * seconds]);
  return { title: "Replacing a list", columns, rows };
}

function analysisTable({ analysis }: Measured): Table {
  const columns = [
    ...[
      { name: "set" },
      { name: "rules" },
      { name: "shadow CPU ms" },
      { name: "findings" },
      { name: "undecided" },
    ],
    ...[{ name: "diff CPU ms" }, { name: "regions" }, { name: "open" }],
  ];
  const rows = lines(analysis, (row) => [
    ...[row.shadowMs, row.findings, row.undecided],
    ...[row.diffMs, row.regions, row.open],
  ]);
  return { title: "Analyses", columns, rows };
}

function encapsulationTable({ encapsulation }: Measured): Table {
  const columns = [
    { name: "program" },
    ...["single", "hot", "varying"].flatMap((way) => [{ name: `${way} ns` }, { name: "over" }]),
    ...[{ name: "sent %", digits: 2 }, { name: "wrong" }],
  ];
  const rows = encapsulation.map((row) => [
    ...[row.subject, row.single, row.overSingle, row.hot, row.overHot, row.varying, row.overVarying],
    ...[row.sent === null ? null : 100 * row.sent, row.wrong],
  ]);
  return { title: "Encapsulation in XDP, a packet", columns, rows };
}

function datapathsTable({ datapaths }: Measured): Table {
  const columns = [
    ...[{ name: "road" }, { name: "CPU ns" }, { name: "the edge's" }],
    ...[{ name: "packets/s" }, { name: "lost %", digits: 2 }],
  ];
  const rows = datapaths.map(({ subject, packet, edge, rate, lost }) => {
    return [subject, packet, edge, rate, 100 * lost];
  });
  return { title: "Datapaths, a packet", columns, rows };
}

function charts(measured: Measured): readonly { readonly name: string; readonly chart: Chart }[] {
  const xdp = linesOf(measured.xdp, ({ subject, ratioP50 }) =>
    subject === PARSE_AND_DROP || subject === HASH_LOOKUP ? null : { name: subject, y: ratioP50 },
  );
  const nft = linesOf(measured.nft, ({ subject, added }) => (added > 0 ? { name: subject, y: added } : null));
  const across = "rules";
  return [
    {
      name: "xdp.svg",
      chart: {
        title: "XDP: median time of a packet, hot",
        ...{ across, up: { name: "times parse-and-drop", scale: "linear" } as const, lines: xdp },
      },
    },
    {
      name: "nft.svg",
      chart: {
        title: "nftables: what a packet costs beyond an empty chain",
        ...{ across, up: { name: "ns", scale: "log" } as const, lines: nft },
      },
    },
  ].filter(({ chart }) => chart.lines.length > 0);
}

/** A line for each program and family of sets. */
function linesOf<T>(
  results: readonly SetResult<T>[],
  point: (row: T) => { readonly name: string; readonly y: number } | null,
): readonly Line[] {
  const found = new Map<string, { x: number; y: number }[]>();
  for (const { family, rules, rows } of results) {
    for (const row of rows) {
      const at = point(row);
      if (!at) continue;
      const name = `${at.name}, ${family}`;
      found.set(name, [...(found.get(name) ?? []), { x: rules, y: at.y }]);
    }
  }
  return [...found].map(([name, points]) => ({ name, points: points.sort((a, b) => a.x - b.x) }));
}
