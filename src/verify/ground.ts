import { boxesOf } from "../compiler/analysis/boxes.js";
import { type Cell, CellIndex } from "../compiler/analysis/cell-index.js";
import type { Effort } from "../compiler/analysis/cover.js";
import { packetIn } from "../compiler/analysis/packets/packet-in.js";
import { possible } from "../compiler/analysis/possible.js";
import { boxOfRegion, everywhere, type Region, regionOf } from "../compiler/analysis/region.js";
import { type Space, spaceOf } from "../compiler/analysis/space.js";
import { ADDRESS_BITS, type Family, type Prefix } from "../compiler/ir/address.js";
import type { Expr } from "../compiler/ir/expr.js";
import { universe } from "../compiler/ir/intervals.js";
import { isTerminal, type Policy, type Rule, rulesOf, type Stage } from "../compiler/ir/policy.js";
import { WIRE_FIELDS } from "../compiler/ir/wire.js";
import { refused } from "./passable.js";
import { costOf } from "./shapes.js";

/** A policy with what searching it needs again and again. */
export interface Ground {
  readonly policy: Policy;
  readonly prefixes: readonly Prefix[];
  readonly space: Space;
  readonly everything: Region;
  /** What packets can be that come to a stage's rules, those of the plainest first. */
  readonly worlds: Readonly<Record<Stage, readonly Region[]>>;
  /** What ends the stage in `mitigate`: all of it, and what drops. */
  readonly mitigate: Takers;
  readonly dropping: Takers;
  readonly firewall: Takers;
  /** They take packets only when they are used up. */
  readonly limits: Readonly<Record<Stage, Takers>>;
  /** What the kernel drops between the stages, as far as values decide it. */
  readonly gates: Takers;
  /** What all searches together may still spend: a policy that chance wrote could take minutes. */
  readonly effort: Effort;
}

/** Rules, by their numbers in their stage, that take packets. */
export interface Takers {
  readonly cells: CellIndex;
  /** Those whose conditions are too many boxes for the index. */
  readonly opaque: readonly { readonly rule: number; readonly match: Expr }[];
}

/** In cells that are looked at: a few seconds. */
const MOST_EFFORT = 20_000_000;
/** Above this many boxes a rule is looked at only where it takes what was found. */
const MANY_BOXES = 256;

/** `asked`: what will be asked besides the policy's own conditions, however it is put together. */
export function groundOf(policy: Policy, asked: readonly Expr[] = []): Ground {
  const families = ([4, 6] as const).filter((family) =>
    policy.prefixes.some(({ prefix }) => prefix.family === family),
  );
  const gates = families.flatMap((family) => refused(family, policy.span));
  const always = families.flatMap((family) => anyEnds(policy, family));
  const space = spaceOf([rulesOf(policy), [...gates, ...always, ...asked].map((match) => ruleOf(match))]);
  const everything = everywhere(space);
  const takers = (rules: readonly Rule[], counts: (rule: Rule) => boolean) =>
    takersOf(rules, counts, { policy, space, everything });
  const { mitigate, firewall } = policy;
  return {
    policy,
    prefixes: policy.prefixes.map(({ prefix }) => prefix),
    space,
    everything,
    worlds: worldsOf(policy, space, everything),
    mitigate: takers(mitigate, isTerminal),
    dropping: takers(mitigate, (rule) => isTerminal(rule) && rule.action.kind !== "allow"),
    firewall: takers(firewall.rules, isTerminal),
    limits: { mitigate: takers(mitigate, isLimit), firewall: takers(firewall.rules, isLimit) },
    gates: takers(gates.map(ruleOf), () => true),
    effort: { left: MOST_EFFORT },
  };
}

function isLimit({ action }: Rule): boolean {
  return action.kind === "limit";
}

/** For the space, which is that of rules. */
function ruleOf(match: Expr): Rule {
  return { name: "", action: { kind: "count" }, match, span: match.span };
}

/** Where packets come from, where they go and with which protocol can always be asked. */
function anyEnds({ span }: Policy, family: Family): readonly Expr[] {
  const ranges = universe(ADDRESS_BITS[family]);
  const needs =
    family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
  const ends = (["ip.src", "ip.dst"] as const).map(
    (field): Expr => ({ kind: "address", field, family, ranges, needs, span }),
  );
  const field = WIRE_FIELDS["ip.proto"];
  return [
    ...ends,
    { kind: "number", field, ranges: universe(8), needs: { header: "proto", bytes: 1 }, span },
  ];
}

type Known = Pick<Ground, "policy" | "space" | "everything">;

function takersOf(
  rules: readonly Rule[],
  counts: (rule: Rule) => boolean,
  { policy, space, everything }: Known,
): Takers {
  const cells: Cell[] = [];
  const opaque: { rule: number; match: Expr }[] = [];
  rules.forEach((one, rule) => {
    if (!counts(one)) return;
    const boxes = boxesOf(one.match, space, policy.lists, MANY_BOXES);
    if (!boxes) opaque.push({ rule, match: one.match });
    for (const box of boxes ?? []) cells.push({ rule, region: regionOf(box, everything) });
  });
  return { cells: new CellIndex(cells, space.variables.length), opaque };
}

function worldsOf(policy: Policy, space: Space, everything: Region): Ground["worlds"] {
  const { prefixes, firewall } = policy;
  const of = (whole: boolean) => {
    const regions = possible(space, { prefixes, whole }).map((box) => regionOf(box, everything));
    return plainestFirst(regions, space, everything, policy);
  };
  const mitigate = of(false);
  return { mitigate, firewall: firewall.stateful ? of(true) : mitigate };
}

function plainestFirst(
  regions: readonly Region[],
  space: Space,
  everything: Region,
  { prefixes }: Policy,
): readonly Region[] {
  const owned = prefixes.map(({ prefix }) => prefix);
  const costs = regions.map((region) => {
    const found = packetIn(boxOfRegion(region, everything), space, owned);
    return found ? costOf(found.shape) : Number.POSITIVE_INFINITY;
  });
  return [...regions.keys()]
    .sort((a, b) => (costs[a] as number) - (costs[b] as number) || a - b)
    .map((index) => regions[index] as Region);
}
