import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnalysisFigures } from "./analysis/child.js";
import { measureAnalysis } from "./analysis/section.js";
import { type Built, build, type CompileFigures } from "./bundles.js";
import { type DatapathRow, measureDatapaths } from "./forwarding/datapaths.js";
import { type EncapsulationRow, measureEncapsulation } from "./forwarding/encapsulation.js";
import { forwardingPolicy, type Sending } from "./forwarding/policy.js";
import { type AddressList, listPolicy, listWorkload } from "./lists.js";
import { EMPTY_CHAIN, linearChain, plainSet } from "./nft/rulesets.js";
import { measureNft, type NftRow, ofText } from "./nft/section.js";
import type { Effort } from "./options.js";
import { IPTABLES, iptables, xdpFilter } from "./peers.js";
import { policyText } from "./rulesets/policy.js";
import type { RuleSet } from "./sets.js";
import {
  linearCode,
  measureReplacement,
  measureXdp,
  ofBundle,
  type Replacement,
  workloadOf,
  type XdpRow,
} from "./xdp/section.js";
import { XdpWorkbench } from "./xdp/workbench.js";

export const SECTIONS = ["compile", "xdp", "nft", "lists", "analysis", "encapsulation", "datapaths"] as const;
export type Section = (typeof SECTIONS)[number];

/** What was measured with one set; a section that could not be measured has a problem instead of rows. */
export interface SetResult<T> {
  readonly set: string;
  readonly family: string;
  readonly rules: number;
  readonly problem: string | null;
  readonly rows: readonly T[];
}

export interface Measured {
  readonly compile: readonly SetResult<CompileFigures & { readonly stage: string }>[];
  readonly xdp: readonly SetResult<XdpRow>[];
  readonly nft: readonly SetResult<NftRow>[];
  readonly lists: readonly SetResult<XdpRow>[];
  readonly replaced: readonly SetResult<Replacement>[];
  readonly analysis: readonly SetResult<AnalysisFigures>[];
  readonly encapsulation: readonly EncapsulationRow[];
  readonly datapaths: readonly DatapathRow[];
}

export interface Setting {
  readonly effort: Effort;
  /** A folder for policies and bundles. */
  readonly workshop: string;
  readonly say: (line: string) => void;
}

/** Measures set by set: what is loaded at one time stays small. */
export async function measureSets(
  sets: readonly RuleSet[],
  lists: readonly AddressList[],
  sections: readonly Section[],
  setting: Setting,
): Promise<Measured> {
  const measured: Collected = {
    compile: [],
    xdp: [],
    nft: [],
    lists: [],
    replaced: [],
    analysis: [],
    ...{ encapsulation: [], datapaths: [] },
  };
  const bench = await XdpWorkbench.start();
  try {
    for (const set of sets) {
      await measureSet(set, new Set(sections), bench, setting, measured);
    }
    for (const list of sections.includes("lists") ? lists : []) {
      const results = await listResults(list, bench, setting);
      measured.compile.push(...results.compile);
      measured.lists.push(...results.lists);
      measured.replaced.push(...results.replaced);
    }
    await measureForwarding(new Set(sections), bench, setting, measured);
  } finally {
    await bench.close();
  }
  return measured;
}

type Collected = { readonly [K in keyof Measured]: Measured[K][number][] };

async function measureSet(
  set: RuleSet,
  sections: ReadonlySet<Section>,
  bench: XdpWorkbench,
  setting: Setting,
  measured: Collected,
): Promise<void> {
  const early =
    sections.has("compile") || sections.has("xdp") ? await compiled(set, "mitigate", setting) : null;
  const late =
    sections.has("compile") || sections.has("nft") ? await compiled(set, "firewall", setting) : null;
  if (early && late && sections.has("compile")) measured.compile.push(compileResult(set, [early, late]));
  if (early && sections.has("xdp")) measured.xdp.push(await xdpResult(set, early, bench, setting));
  if (late && sections.has("nft")) measured.nft.push(await nftResult(set, late, setting));
  if (sections.has("analysis")) measured.analysis.push(analysisResult(set, setting));
}

function analysisResult(set: RuleSet, { effort, workshop, say }: Setting): SetResult<AnalysisFigures> {
  say(`${set.name}: analyses`);
  const folder = join(workshop, `${folderOf(set.name)}-analysis`);
  return result(set, [measureAnalysis(folder, set.rules, Math.min(effort.rounds, 3))], null);
}

/** A name as one of a folder. */
function folderOf(name: string): string {
  return name.replaceAll(/\W/g, "-");
}

interface Compiled {
  readonly stage: "mitigate" | "firewall";
  readonly built: Built | null;
  readonly problem: string | null;
}

async function compiled(
  { name, rules }: RuleSet,
  stage: Compiled["stage"],
  { workshop, say }: Setting,
): Promise<Compiled> {
  say(`${name}: compiling it as ${stage} rules`);
  const folder = `${folderOf(name)}-${stage}`;
  const built = await build(workshop, folder, { text: policyText(rules, { stage }) });
  return built.kind === "built"
    ? { stage, built, problem: null }
    : { stage, built: null, problem: built.problem };
}

function result<T>(
  { name, family, rules }: RuleSet,
  rows: readonly T[],
  problem: string | null,
): SetResult<T> {
  return { set: name, family, rules: rules.length, problem, rows };
}

function compileResult(set: RuleSet, both: readonly Compiled[]): Measured["compile"][number] {
  const rows = both.flatMap(({ stage, built }) => (built ? [{ stage, ...built.figures }] : []));
  const problems = both.flatMap(({ stage, problem }) => (problem === null ? [] : [`${stage}: ${problem}`]));
  return result(set, rows, problems.length > 0 ? problems.join("; ") : null);
}

async function xdpResult(
  set: RuleSet,
  { built, problem }: Compiled,
  bench: XdpWorkbench,
  { effort, say }: Setting,
): Promise<SetResult<XdpRow>> {
  say(`${set.name}: XDP${problem === null ? "" : `: ${problem}`}`);
  const ours = built ? [ofBundle("tidegate", built)] : [];
  const contenders = [...ours, ...linearCode(set.rules)];
  return result(set, await measureXdp(bench, workloadOf(set.rules, effort), contenders, effort), problem);
}

async function nftResult(
  set: RuleSet,
  { built, problem }: Compiled,
  { effort, say }: Setting,
): Promise<SetResult<NftRow>> {
  say(`${set.name}: nftables${problem === null ? "" : `: ${problem}`}`);
  const ours = built ? [ofText("tidegate", rulesetOf(built))] : [];
  const peers = IPTABLES.flatMap((tool) => iptables(tool, set.rules));
  const contenders = [
    ofText("empty chain", EMPTY_CHAIN, false),
    ...ours,
    ofText("linear chain", linearChain(set.rules)),
    ofText("one set", plainSet(set.rules), false),
    ...peers,
  ];
  return result(set, await measureNft(set.rules, contenders, effort, say), problem);
}

async function listResults(
  list: AddressList,
  bench: XdpWorkbench,
  { effort, workshop, say }: Setting,
): Promise<Pick<Collected, "compile" | "lists" | "replaced">> {
  const { name, family, prefixes } = list;
  say(`${name}: compiling`);
  const built = await build(workshop, folderOf(name), listPolicy(list));
  const problem = built.kind === "built" ? null : built.problem;
  say(`${name}: XDP${problem === null ? "" : `: ${problem}`}`);
  const ours = built.kind === "built" ? [built] : [];
  const contenders = [...ours.map((one) => ofBundle("tidegate", one)), ...xdpFilter(list)];
  const rows = await measureXdp(bench, listWorkload(list, effort), contenders, effort);
  const replaced = await Promise.all(ours.map((one) => measureReplacement(bench, one, effort.rounds)));
  const about = { set: name, family, rules: prefixes.length, problem };
  const figures = ours.map((one) => ({ stage: "mitigate", ...one.figures }));
  return {
    compile: [{ ...about, rows: figures }],
    lists: [{ ...about, rows }],
    replaced: [{ ...about, problem: null, rows: replaced.flat() }],
  };
}

async function measureForwarding(
  sections: ReadonlySet<Section>,
  bench: XdpWorkbench,
  setting: Setting,
  measured: Collected,
): Promise<void> {
  if (!sections.has("encapsulation") && !sections.has("datapaths")) return;
  const { effort, workshop, say } = setting;
  const bundles = await forwardingBundles(setting);
  if (sections.has("encapsulation")) {
    say("encapsulation");
    measured.encapsulation.push(...(await measureEncapsulation(bench, bundles, effort)));
  }
  if (sections.has("datapaths")) {
    say("datapaths");
    const places = { workshop, pins: bench.scratch.pins };
    measured.datapaths.push(...(await measureDatapaths(places, bundles, effort)));
  }
}

/** The customer whose packets are forwarded, on both datapaths. */
async function forwardingBundles({ workshop }: Setting): Promise<Readonly<Record<Sending, Built>>> {
  const one = async (datapath: Sending) => {
    const built = await build(workshop, `forwarding-${datapath}`, { text: forwardingPolicy(datapath) });
    if (built.kind === "not built") throw new Error(`the policy that forwards: ${built.problem}`);
    return built;
  };
  return { xdp: await one("xdp"), namespace: await one("namespace") };
}

function rulesetOf({ folder, manifest }: Built): string {
  return readFileSync(join(folder, `nft/${manifest.customer}.nft`), "utf8");
}
