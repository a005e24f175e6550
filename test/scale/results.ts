import { type Cell, renderTable } from "../../bench/report/table.js";
import { median } from "../../bench/statistics.js";
import type { Figures } from "./measuring.js";
import { type Memory, total } from "./memory.js";
import type { Traffic } from "./traffic.js";

export interface Results {
  readonly rules: number;
  /** Milliseconds of each policy; those of which a bundle was there already are not in it. */
  readonly compiled: readonly number[];
  readonly few: Figures;
  readonly many: Figures;
  /** Of a customer, among many. */
  readonly each: Memory;
  readonly restarted: { readonly traffic: Traffic; readonly ms: number };
}

/** So much longer may a change take among many customers than among few. */
const RATIO = 1.5;

/** What does not hold and should. */
export function problemsOf({ few, many, restarted: { traffic } }: Results): readonly string[] {
  return [
    ...(many.inForce / few.inForce < RATIO
      ? []
      : [`a change takes ${ratio(few.inForce, many.inForce)} times as long`]),
    ...(traffic.arrived === traffic.sent ? [] : [`${traffic.sent - traffic.arrived} packets were lost`]),
    ...(traffic.leaked === 0 ? [] : [`${traffic.leaked} packets came through that all policies forbid`]),
  ];
}

export function render(results: Results): string {
  const { rules, compiled, few, many, restarted } = results;
  const { sent, arrived, leaked } = restarted.traffic;
  const lines = [
    ...(compiled.length > 0
      ? [`Compiling a policy of ${rules} rules takes ${median(compiled).toFixed(0)} ms.`]
      : []),
    `The daemon was killed and started anew with traffic on: ${arrived} of ${sent} allowed packets arrived, and ${leaked}`,
    `forbidden ones; ${(restarted.ms / 1000).toFixed(1)} s later a change that was published meanwhile was in force.`,
  ];
  return `${renderTable(figuresTable(few, many))}\n${renderTable(memoryTable(results))}\n${lines.join("\n")}\n`;
}

function figuresTable(few: Figures, many: Figures) {
  const row = (name: string, what: Exclude<keyof Figures, "customers">, digits = 0): readonly Cell[] => [
    name,
    few[what].toFixed(digits),
    many[what].toFixed(digits),
    ratio(few[what], many[what]),
  ];
  return {
    title: "Times, in milliseconds",
    columns: [
      { name: "" },
      { name: `${few.customers} customers` },
      { name: `${many.customers} customers` },
      { name: "ratio" },
    ],
    rows: [
      row("one more customer", "load"),
      row("a change until it is in force", "inForce"),
      row("a change until the old is gone", "whole"),
      row("the longest of them", "longest"),
      row("a change by tidegate apply", "command"),
      row("a change from publishing on", "published"),
      row("metrics", "scrape"),
      row("tidegate status", "status"),
    ],
  };
}

function memoryTable({ few, many, each }: Results) {
  const { maps, programs, slab, perCpu, files } = each;
  return {
    title: "Memory",
    columns: [{ name: "" }, { name: "KiB", digits: 0 }],
    rows: [
      ["of a customer, all in all", kib(total(each))],
      ["… in BPF maps", kib(maps)],
      ["… in BPF programs", kib(programs)],
      ["… in the kernel's slab (namespace, devices, nftables, routes)", kib(slab)],
      ["… per CPU", kib(perCpu)],
      ["… in files of /run", kib(files)],
      [`the daemon, of ${few.customers} customers`, kib(few.daemonBytes)],
      [`the daemon, of ${many.customers} customers`, kib(many.daemonBytes)],
      [`metrics of ${many.customers} customers`, kib(many.scrapeBytes)],
    ],
  } as const;
}

function kib(bytes: number): number {
  return bytes / 1024;
}

function ratio(few: number, many: number): string {
  return (many / few).toFixed(2);
}
