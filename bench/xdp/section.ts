import { readFileSync } from "node:fs";
import { join } from "node:path";
import { xdpBuild } from "../../src/cli/verify/policy-checks.js";
import { planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import type { Built } from "../bundles.js";
import { frameOf } from "../frames.js";
import type { Effort } from "../options.js";
import { type Flow, type FlowRule, matcherOf, verdictOf } from "../rulesets/flow-rule.js";
import { policyOf } from "../rulesets/policy.js";
import { traceOf } from "../rulesets/trace.js";
import { median, quantile } from "../statistics.js";
import type { Subject, XdpWorkbench } from "./workbench.js";

/** Nanoseconds that a packet takes in a program; ratios are to parse-and-drop, measured in the same rounds. */
export interface XdpRow {
  readonly subject: string;
  /** Single test runs, the clock's two readings in them. */
  readonly p50: number;
  readonly p99: number;
  readonly ratioP50: number;
  readonly ratioP99: number;
  /** The median in units of one hash lookup, parse-and-drop taken off both. */
  readonly lookups: number;
  /** The median in the loop of one test run, with next to nothing but the program in it. */
  readonly loop: number;
  readonly ratioLoop: number;
  /** The mean over a trace of packets, each another than the one before. */
  readonly varying: number;
  readonly ratioVarying: number;
  readonly varyingLookups: number;
  /** Packets that it decides otherwise than the first rule that matches; null: it is not meant to know the rules. */
  readonly wrong: number | null;
}

export const PARSE_AND_DROP = "parse-and-drop";
export const HASH_LOOKUP = "hash lookup";
const LINEAR_CODE = "linear code";

/** What is compared with the two programs that every set is measured beside. */
export interface Contender {
  readonly name: string;
  readonly load: (bench: XdpWorkbench) => Promise<Subject>;
}

/** A bundle's own object and tables behind the root program. */
export function ofBundle(name: string, { folder, manifest }: Built): Contender {
  const object = readFileSync(join(folder, `xdp/${manifest.customer}.bpf.o`));
  const { prefixes, tables } = manifest;
  const read = (file: string) => Promise.resolve(readFileSync(join(folder, file)));
  return {
    name,
    load: (bench) => bench.loadPolicy(name, { object, prefixes, tables, read, counters: [], tunnels: null }),
  };
}

/** Rules of which each is code, one below the other; nothing where they are more than a program has room for. */
export function linearCode(rules: readonly FlowRule[]): readonly Contender[] {
  const policy = policyOf(rules, { stage: "mitigate" });
  if (planOf(policy, "linear")) return [];
  const build = xdpBuild(policy, (one) => emit(one, "linear"), "linear");
  return [{ name: LINEAR_CODE, load: (bench) => bench.loadPolicy(LINEAR_CODE, build) }];
}

/** Data of a program that were replaced by others of the same size. */
export interface Replacement {
  readonly bytes: number;
  readonly seconds: number;
}

/** How long it takes to replace the data of a bundle's program; nothing where it has none. */
export async function measureReplacement(
  bench: XdpWorkbench,
  built: Built,
  rounds: number,
): Promise<readonly Replacement[]> {
  const table = built.manifest.tables.find(({ kind }) => kind === "data");
  if (table?.kind !== "data") return [];
  const data = readFileSync(join(built.folder, table.file));
  const subject = await ofBundle("tidegate", built).load(bench);
  try {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await bench.replaceData(subject, data));
    return [{ bytes: data.length, seconds: median(times) }];
  } finally {
    bench.unload(subject);
  }
}

/** What programs are measured with, and what they should answer. */
export interface Workload {
  /** Measured each by itself. */
  readonly flows: readonly Flow[];
  /** Measured one after the other. */
  readonly trace: readonly Flow[];
  /** So many of the trace's packets are held against `drops`. */
  readonly answers: number;
  readonly drops: (flow: Flow) => boolean;
}

/** Packets that follow the rules. */
export function workloadOf(rules: readonly FlowRule[], effort: Effort): Workload {
  const match = matcherOf(rules);
  return {
    flows: traceOf(rules, { packets: effort.hotPackets, seed: 1 }),
    trace: traceOf(rules, { packets: effort.tracePackets, seed: 2 }),
    answers: effort.answers,
    drops: (flow) => {
      const rule = match(flow);
      return rule >= 0 && verdictOf(rule) === "drop";
    },
  };
}

/** Measures contenders side by side, after parse-and-drop and one hash lookup. */
export async function measureXdp(
  bench: XdpWorkbench,
  workload: Workload,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<readonly XdpRow[]> {
  const { flows, trace } = workload;
  const base = await bench.loadObject("parse-drop", "parse_drop");
  const hash = await bench.loadObject("hash", "hash");
  await bench.fillHash(hash, [...flows, ...trace]);
  await bench.loadTrace(trace.map(frameOf));
  const loaded: Subject[] = [];
  for (const contender of contenders) loaded.push(await contender.load(bench));
  const subjects = [base, hash, ...loaded];
  try {
    const times = await measure(bench, subjects, workload, effort);
    const names = [PARSE_AND_DROP, HASH_LOOKUP, ...contenders.map(({ name }) => name)];
    const rows: XdpRow[] = [];
    for (const [index, one] of times.entries()) {
      const isContender = index >= 2;
      const wrong = isContender ? await mistakes(bench, subjects[index], workload) : null;
      rows.push({ subject: names[index] ?? "", ...compared(one, times[0], times[1]), wrong });
    }
    return rows;
  } finally {
    for (const subject of subjects) bench.unload(subject);
  }
}

interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly loop: number;
  readonly varying: number;
}

async function measure(
  bench: XdpWorkbench,
  subjects: readonly Subject[],
  { flows, trace }: Workload,
  { repeat, rounds }: Effort,
): Promise<readonly Times[]> {
  const frames = flows.map(frameOf);
  const single = await bench.hot(subjects, frames, "single", { repeat, rounds });
  const loop = await bench.hot(subjects, frames, "loop", { repeat: 10 * repeat, rounds });
  const { length } = trace;
  const varying = await bench.fed(subjects, { step: "feed", frames: length, repeat: length, rounds });
  return subjects.map((_, index) => ({
    p50: quantile(single[index] ?? [], 0.5),
    p99: quantile(single[index] ?? [], 0.99),
    loop: quantile(loop[index] ?? [], 0.5),
    varying: varying[index] ?? Number.NaN,
  }));
}

function compared(one: Times, base: Times = one, hash: Times = one): Omit<XdpRow, "subject" | "wrong"> {
  return {
    ...one,
    ratioP50: one.p50 / base.p50,
    ratioP99: one.p99 / base.p99,
    lookups: (one.p50 - base.p50) / (hash.p50 - base.p50),
    ratioLoop: one.loop / base.loop,
    ratioVarying: one.varying / base.varying,
    varyingLookups: (one.varying - base.varying) / (hash.varying - base.varying),
  };
}

async function mistakes(
  bench: XdpWorkbench,
  subject: Subject | undefined,
  { flows, trace, answers, drops }: Workload,
): Promise<number> {
  if (!subject) return 0;
  const asked = [...flows, ...trace.slice(0, answers)];
  const dropped = await bench.drops(subject, asked);
  return asked.filter((flow, index) => dropped[index] !== drops(flow)).length;
}
