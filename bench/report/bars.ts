import { ENCAPSULATES, type EncapsulationRow } from "../forwarding/encapsulation.js";
import type { Measured, SetResult } from "../measure.js";
import type { NftRow } from "../nft/section.js";
import type { XdpRow } from "../xdp/section.js";
import type { Table } from "./table.js";

/** What Tidegate must reach, and how near it came: of all sets that a bar speaks of, the worst. */
interface Bar {
  readonly what: string;
  readonly most: number;
  readonly measured: readonly Measurement[];
}

interface Measurement {
  readonly set: string;
  readonly value: number;
}

/** Nominal sizes: public sets of "10,000" rules have some hundred fewer. */
const SMALL = { least: 500, most: 2000 };
const LARGE = { least: 5000, most: 20_000 };
const TINY = { least: 1, most: 20 };

export function barsTable(measured: Measured): Table {
  const bars = [
    ...xdpBars(measured),
    ...nftBars(measured),
    ...compileBars(measured),
    ...analysisBars(measured),
    ...encapsulationBars(measured),
  ];
  const rows = bars.flatMap(({ what, most, measured }) => {
    const known = measured.filter(({ value }) => Number.isFinite(value));
    const [worst] = [...known].sort((a, b) => b.value - a.value);
    return worst ? [[what, most, worst.value, worst.set, worst.value <= most ? "yes" : "no"]] : [];
  });
  const number = (name: string) => ({ name, digits: 2 });
  const columns = [{ name: "what" }, number("at most"), number("worst"), { name: "set" }, { name: "met" }];
  return { title: "Bars", columns, rows };
}

function xdpBars({ xdp, lists, replaced }: Measured): readonly Bar[] {
  const many = xdp.filter((one) => one.rules >= SMALL.least);
  const million = lists.filter(isMillion);
  const times = replaced.filter(isMillion);
  const ours = (results: readonly SetResult<XdpRow>[], value: (row: XdpRow) => number) =>
    results.flatMap(({ set, rows }) => rowsOf(rows).map((row) => ({ set, value: value(row) })));
  return [
    { what: "XDP, hot p50 × parse-and-drop", most: 3, measured: ours(many, (row) => row.ratioP50) },
    { what: "XDP, hot p99 × parse-and-drop", most: 6, measured: ours(many, (row) => row.ratioP99) },
    { what: "XDP, varying × parse-and-drop", most: 5, measured: ours(many, (row) => row.ratioVarying) },
    {
      what: "XDP, hot p50 of 10,000 rules × 1,000",
      most: 1.5,
      measured: grown(xdp, SMALL, ({ ratioP50 }) => ratioP50),
    },
    {
      what: "XDP, a million prefixes, varying × parse-and-drop",
      most: 6,
      measured: ours(million, (row) => row.ratioVarying),
    },
    {
      what: "XDP, a million prefixes replaced, s",
      most: 2,
      measured: times.flatMap(({ set, rows }) => rows.map(({ seconds }) => ({ set, value: seconds }))),
    },
  ];
}

function isMillion({ rules }: { readonly rules: number }): boolean {
  return rules >= 1_000_000;
}

function nftBars({ nft }: Measured): readonly Bar[] {
  const linear = inside(nft, LARGE).flatMap(({ set, rows }) => {
    const chain = rows.find(({ subject }) => subject === "linear chain");
    return rowsOf(rows).map(({ added }) => ({ set, value: (50 * added) / (chain?.added ?? Number.NaN) }));
  });
  return [
    {
      what: "nft, a packet at 10,000 rules × 10 rules",
      most: 2,
      measured: grown(nft, TINY, ({ packet }) => packet),
    },
    { what: "nft, 50 × added at 10,000 rules / that of a linear chain", most: 1, measured: linear },
  ];
}

function compileBars({ compile }: Measured): readonly Bar[] {
  const seconds = (size: Size) =>
    inside(compile, size).flatMap(({ set, rows }) =>
      rows.map(({ cpuSeconds }) => ({ set, value: cpuSeconds })),
    );
  const sizes = (value: (row: (typeof compile)[number]["rows"][number]) => number) =>
    compile
      .filter(({ rules }) => rules <= LARGE.most)
      .flatMap(({ set, rows }) => rows.map((row) => ({ set, value: value(row) })));
  return [
    { what: "compiling 1,000 rules without clang, CPU s", most: 3, measured: seconds(SMALL) },
    { what: "compiling 10,000 rules without clang, CPU s", most: 30, measured: seconds(LARGE) },
    { what: "compiling, peak GiB", most: 2, measured: sizes(({ peakBytes }) => peakBytes / 2 ** 30) },
    { what: "tables, MiB", most: 64, measured: sizes(({ tableBytes }) => tableBytes / 2 ** 20) },
  ];
}

function analysisBars({ analysis }: Measured): readonly Bar[] {
  const seconds = (size: Size, key: "shadowMs" | "diffMs") =>
    inside(analysis, size).flatMap(({ set, rows }) => rows.map((row) => ({ set, value: row[key] / 1000 })));
  return [
    { what: "shadowed rules of 1,000, CPU s", most: 0.3, measured: seconds(SMALL, "shadowMs") },
    { what: "shadowed rules of 10,000, CPU s", most: 3, measured: seconds(LARGE, "shadowMs") },
    { what: "diff of 1,000 rules, CPU s", most: 0.5, measured: seconds(SMALL, "diffMs") },
    { what: "diff of 10,000 rules, CPU s", most: 1, measured: seconds(LARGE, "diffMs") },
  ];
}

function encapsulationBars({ encapsulation }: Measured): readonly Bar[] {
  const sends = encapsulation.filter(({ subject }) => ENCAPSULATES.includes(subject));
  const over = (value: (row: EncapsulationRow) => number) =>
    sends.map((row) => ({ set: row.subject, value: value(row) }));
  const bar = (way: string, value: (row: EncapsulationRow) => number) => {
    return { what: `encapsulation, ${way}, ns over parse-and-drop`, most: 60, measured: over(value) };
  };
  return [
    bar("single test runs", (row) => row.overSingle),
    bar("hot", (row) => row.overHot),
    bar("varying", (row) => row.overVarying),
  ];
}

type Size = typeof SMALL;

function inside<T extends { readonly rules: number }>(
  results: readonly T[],
  { least, most }: Size,
): readonly T[] {
  return results.filter(({ rules }) => least <= rules && rules <= most);
}

function rowsOf<T extends XdpRow | NftRow>(rows: readonly T[]): readonly T[] {
  return rows.filter(({ subject }) => subject === "tidegate");
}

/** How many times the figure of 10,000 rules is that of fewer rules of the same family. */
function grown<T extends XdpRow | NftRow>(
  results: readonly SetResult<T>[],
  from: Size,
  value: (row: T) => number,
): readonly Measurement[] {
  return inside(results, LARGE).flatMap(({ set, family, rows }) => {
    const small = inside(results, from).find((one) => one.family === family);
    const [[large], [base]] = [rowsOf(rows), rowsOf(small?.rows ?? [])];
    return large && base ? [{ set, value: value(large) / value(base) }] : [];
  });
}
