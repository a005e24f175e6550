import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Built, build, type CompileFigures } from "./bundles.js";
import { type AddressList, listPolicy, listWorkload } from "./lists.js";
import { EMPTY_CHAIN, linearChain, plainSet } from "./nft/rulesets.js";
import { measureNft, type NftRow, ofText } from "./nft/section.js";
import type { Effort } from "./options.js";
import { IPTABLES, iptables, xdpFilter } from "./peers.js";
import { policyText } from "./rulesets/policy.js";
import type { RuleSet } from "./sets.js";
import { measureXdp, ofBundle, workloadOf, type XdpRow } from "./xdp/section.js";
import { XdpWorkbench } from "./xdp/workbench.js";

export const SECTIONS = ["compile", "xdp", "nft", "lists"] as const;
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
}

export interface Setting {
  readonly effort: Effort;
  /** A folder for policies and bundles. */
  readonly workshop: string;
  readonly say: (line: string) => void;
}

/** Measures set by set, so that an interruption leaves little undone and memory stays small. */
export async function measureSets(
  sets: readonly RuleSet[],
  lists: readonly AddressList[],
  sections: readonly Section[],
  setting: Setting,
): Promise<Measured> {
  const measured = { compile: [], xdp: [], nft: [], lists: [] } as {
    -readonly [K in keyof Measured]: Measured[K][number][];
  };
  const bench = await XdpWorkbench.start();
  try {
    for (const set of sections.some((section) => section !== "lists") ? sets : []) {
      const early = await compiled(set, "mitigate", setting);
      const late = await compiled(set, "firewall", setting);
      if (sections.includes("compile")) measured.compile.push(compileResult(set, [early, late]));
      if (sections.includes("xdp")) measured.xdp.push(await xdpResult(set, early, bench, setting));
      if (sections.includes("nft")) measured.nft.push(await nftResult(set, late, setting));
    }
    for (const list of sections.includes("lists") ? lists : []) {
      const { compile, xdp } = await listResults(list, bench, setting);
      measured.compile.push(compile);
      measured.lists.push(xdp);
    }
  } finally {
    await bench.close();
  }
  return measured;
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
  const folder = `${name.replaceAll(/\W/g, "-")}-${stage}`;
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
  const contenders = built ? [ofBundle("tidegate", built)] : [];
  return result(set, await measureXdp(bench, workloadOf(set.rules, effort), contenders, effort), problem);
}

async function nftResult(
  set: RuleSet,
  { built, problem }: Compiled,
  { effort, say }: Setting,
): Promise<SetResult<NftRow>> {
  say(`${set.name}: nftables${problem === null ? "" : `: ${problem}`}`);
  const ours = built ? [ofText("tidegate", rulesetOf(built))] : [];
  const peers = IPTABLES.flatMap((tool) => iptables(tool, set.rules) ?? []);
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
): Promise<{ readonly compile: Measured["compile"][number]; readonly xdp: SetResult<XdpRow> }> {
  const { name, family, prefixes } = list;
  say(`${name}: compiling`);
  const built = await build(workshop, name.replaceAll(/\W/g, "-"), listPolicy(list));
  const problem = built.kind === "built" ? null : built.problem;
  say(`${name}: XDP${problem === null ? "" : `: ${problem}`}`);
  const ours = built.kind === "built" ? [built] : [];
  const contenders = [...ours.map((one) => ofBundle("tidegate", one)), ...(xdpFilter(list) ?? [])];
  const rows = await measureXdp(bench, listWorkload(list, effort), contenders, effort);
  const about = { set: name, family, rules: prefixes.length, problem };
  const figures = ours.map((one) => ({ stage: "mitigate", ...one.figures }));
  return { compile: { ...about, rows: figures }, xdp: { ...about, rows } };
}

function rulesetOf({ folder, manifest }: Built): string {
  return readFileSync(join(folder, `nft/${manifest.customer}.nft`), "utf8");
}
