import { type Comparison, comparePolicies, type Difference } from "../../compiler/analysis/diff/compare.js";
import type { Decider, Outcome } from "../../compiler/analysis/diff/outcomes.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { SurfaceRule } from "../../dsl/surface.js";
import { boxText } from "../render/box.js";
import { type Note, notesOf } from "./notes.js";
import { witnessOf } from "./witnesses.js";

/** What becomes of some packets, in a policy's own names. */
export interface Told {
  readonly verdict: Outcome["verdict"];
  readonly stage: Outcome["stage"];
  /** null: a default decides, or there is no route. */
  readonly rule: string | null;
  /** Fragments, of which a stateful firewall awaits the rest. */
  readonly held: boolean;
  /** Limits that may drop them besides. */
  readonly limits: readonly string[];
}

/** Packets that two policies treat differently, for people. */
export interface Region {
  readonly before: Told;
  readonly after: Told;
  readonly change: "widened" | "narrowed" | "other";
  /** Of all packets to the policies' prefixes, were all that the policies can tell apart equally frequent. */
  readonly share: number;
  /** A packet that shows it; null: none was found, or looked for. */
  readonly witness: string | null;
  /** In the words of expressions. */
  readonly packets: string;
  /** All of these packets, or only some of them. */
  readonly isExact: boolean;
}

export interface PolicyDiff {
  /** Every packet is treated alike. */
  readonly equal: boolean;
  /** Over all regions. */
  readonly change: "none" | "widened" | "narrowed" | "both" | "other";
  readonly regions: readonly Region[];
  readonly notes: readonly Note[];
  /** Packets that were not compared, because it takes too long. */
  readonly open: readonly string[];
}

interface DiffOptions {
  /** Witnesses are looked for in so many regions, the largest: in a policy of thousands of rules each takes a while. */
  readonly witnesses?: number;
  /** The rules of `after` as they were written: notes show their conditions. */
  readonly written?: readonly SurfaceRule[];
}

/** All that two policies treat or say differently. */
export function differing(
  before: Policy,
  after: Policy,
  { witnesses = Number.POSITIVE_INFINITY, written = [] }: DiffOptions = {},
): PolicyDiff {
  const comparison = comparePolicies(before, after);
  const { space, differences } = comparison;
  const regions = differences.map((one, index) => ({
    ...regionOf(one, comparison),
    witness: index < witnesses ? witnessOf(one, comparison, before, after) : null,
  }));
  const notes = notesOf(before, after, written);
  const open = comparison.open.map((box) => boxText(box, space, comparison.common));
  const equal = regions.length === 0 && open.length === 0 && notes.every(({ isTraffic }) => !isTraffic);
  return { equal, change: changeOf(regions), regions, notes, open };
}

function regionOf(difference: Difference, comparison: Comparison): Omit<Region, "witness"> {
  const { space, common, pairs } = comparison;
  const nameOf = (side: "before" | "after") => (decider: Decider) =>
    pairs[decider.stage][decider.pair]?.[side]?.name ?? "";
  return {
    before: told(difference.before, nameOf("before")),
    after: told(difference.after, nameOf("after")),
    change: direction(difference),
    share: difference.share,
    packets: boxText(difference.hull, space, common),
    isExact: difference.isHull,
  };
}

function told(
  { verdict, stage, decider, held, limits }: Outcome,
  nameOf: (decider: Decider) => string,
): Told {
  return { verdict, stage, rule: decider && nameOf(decider), held, limits: limits.map(nameOf) };
}

function direction({ before, after }: Difference): Region["change"] {
  const [was, is] = [mayPass(before), mayPass(after)];
  if (was === is) return "other";
  return is ? "widened" : "narrowed";
}

function mayPass({ verdict, held }: Outcome): boolean {
  return verdict === "allow" || held;
}

function changeOf(regions: readonly Region[]): PolicyDiff["change"] {
  const [widened, narrowed] = (["widened", "narrowed"] as const).map((change) =>
    regions.some((region) => region.change === change),
  );
  if (widened && narrowed) return "both";
  if (widened) return "widened";
  if (narrowed) return "narrowed";
  return regions.length > 0 ? "other" : "none";
}
