import fc from "fast-check";
import { expect, test } from "vitest";
import { boxHas } from "../../src/compiler/analysis/boxes.js";
import {
  type Comparison,
  comparePolicies,
  type Difference,
} from "../../src/compiler/analysis/diff/compare.js";
import { type Change, changeOf, type Outcome } from "../../src/compiler/analysis/diff/outcomes.js";
import { packetIn } from "../../src/compiler/analysis/packets/packet-in.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import type { Policy, Rule, Verdict } from "../../src/compiler/ir/policy.js";
import type { Packet } from "../../src/compiler/semantics/decode.js";
import { evaluate, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { anyRules, LISTS, somePackets } from "../support/analysis-arbitrary.js";
import { policy, range } from "../support/ir.js";

/** Two policies that have most of their rules in common, against the reference, packet by packet. */

/** What becomes of the rules in one of the two. */
interface Edit {
  readonly remove: readonly number[];
  readonly swap: number;
  readonly rename: boolean;
}

const changes = fc.record({
  remove: fc.array(fc.nat({ max: 4 }), { maxLength: 2 }),
  swap: fc.nat({ max: 4 }),
  rename: fc.boolean(),
});

function changed(rules: readonly Rule[], { remove, swap, rename }: Edit): readonly Rule[] {
  const left = rules.filter((_, index) => !remove.includes(index));
  const [one, other] = [left[swap], left[swap + 1]];
  if (one && other) left.splice(swap, 2, other, one);
  return rename ? left.map((rule) => ({ ...rule, name: `${rule.name}-b` })) : left;
}

const somePolicy = fc.record({
  rules: anyRules,
  cut: fc.nat({ max: 4 }),
  changes: fc.tuple(changes, changes),
  defaults: fc.tuple(...[0, 1].map(() => fc.constantFrom<Verdict>("allow", "drop", "drop", "reject"))),
  routes: fc.tuple(...[0, 1].map(() => fc.subarray(["203.0.113.0/25", "203.0.113.0/24", "2001:db8::/32"]))),
  otherPrefixes: fc.boolean(),
  otherList: fc.boolean(),
  stateful: fc.tuple(...[0, 1].map(() => fc.integer({ min: 0, max: 2 }).map((number) => number === 0))),
});

type Chosen = typeof somePolicy extends fc.Arbitrary<infer T> ? T : never;

/** The first or the second of two variants. */
function variant(chosen: Chosen, which: 0 | 1): Policy {
  const base = policy([]);
  const rules = changed(chosen.rules, chosen.changes[which] ?? { remove: [], swap: 99, rename: false });
  const mitigate = rules.slice(0, chosen.cut);
  const prefixes = which === 1 && chosen.otherPrefixes ? base.prefixes.slice(1) : base.prefixes;
  const routes = (chosen.routes[which] ?? []).map((text) => ({
    prefix: prefixOf(text),
    ...{ tunnel: "home", priority: 100, weight: 1, span: base.span },
  }));
  const [first, ...others] = LISTS;
  const lists =
    which === 1 && chosen.otherList && first ? [{ ...first, 4: first[4].slice(1) }, ...others] : LISTS;
  const firewall = {
    ...base.firewall,
    default: chosen.defaults[which] ?? "drop",
    stateful: chosen.stateful[which] ?? false,
    rules: rules.slice(chosen.cut),
  };
  return {
    ...base,
    prefixes,
    mitigate: mitigate.filter(({ action }) => action.kind !== "reject"),
    firewall,
    lists,
    routes,
  };
}

function prefixOf(text: string) {
  const { family, range: one } = range(text);
  return { family, base: one.low, length: Number(text.split("/")[1]) };
}

type Side = "before" | "after";

/** What the reference says, in the comparison's words. */
function outcomeOf(trace: Trace, side: Side, { pairs }: Comparison): Outcome {
  const decider = (stage: "mitigate" | "firewall", name: string) => ({
    stage,
    pair: pairs[stage].findIndex((pair) => pair[side]?.name === name),
  });
  const limits = trace.steps.filter(({ outcome }) => outcome === "under" || outcome === "over");
  const { verdict, stage, rule, held } = trace;
  if (verdict === "malformed" || stage === "root")
    return { verdict: "foreign", stage: "root", decider: null, held: false, limits: [] };
  return {
    ...{ verdict, stage },
    decider: rule === null || stage === "route" ? null : decider(stage, rule),
    held,
    limits: limits.map((step) => decider(step.stage, step.rule.name)),
  };
}

function judged(policy: Policy, { bytes, surroundings }: Pick<Packet, "bytes" | "surroundings">): Trace {
  return evaluate(policy, bytes, newState(), 0n, surroundings);
}

function isOf({ before, after }: Difference, change: Change): boolean {
  return JSON.stringify([before, after]) === JSON.stringify([change.before, change.after]);
}

/** How the two treat the packet differently; undefined: they do not. */
function changeFor(
  packet: Packet,
  before: Policy,
  after: Policy,
  comparison: Comparison,
): Change | undefined {
  const [old, now] = [judged(before, packet), judged(after, packet)];
  return changeOf(outcomeOf(old, "before", comparison), outcomeOf(now, "after", comparison));
}

/** An IPv6 fragment that is all of its datagram: stateful firewalls look into it more closely than a comparison does. */
function isLoneFragment({ bytes, fragmentHeader }: Packet): boolean {
  if (fragmentHeader === null) return false;
  const [high = 0, low = 0] = bytes.subarray(fragmentHeader + 2, fragmentHeader + 4);
  return ((high << 8) | low) >> 3 === 0 && (low & 1) === 0;
}

test("each packet is in the difference that the reference sees, and in no other", () => {
  let [different, alike] = [0, 0];
  fc.assert(
    fc.property(somePolicy, somePackets, (chosen, packets) => {
      const [before, after] = [variant(chosen, 0), variant(chosen, 1)];
      const comparison = comparePolicies(before, after);
      if (comparison.open.length > 0) return;
      const isTracked = before.firewall.stateful || after.firewall.stateful;
      for (const packet of packets) {
        if (isTracked && isLoneFragment(packet)) continue;
        const change = changeFor(packet, before, after, comparison);
        const values = valuesOf(packet, comparison.space);
        const holding = comparison.differences.filter((one) => one.boxes.some((box) => boxHas(box, values)));
        if (!change) {
          alike++;
          expect(holding).toEqual([]);
          continue;
        }
        different++;
        const difference = comparison.differences.find((one) => isOf(one, change));
        expect(difference, JSON.stringify(change)).toBeDefined();
        if (!difference) return;
        expect(boxHas(difference.hull, values)).toBe(true);
        if (difference.isAll) expect(holding).toEqual([difference]);
      }
    }),
    { numRuns: 150 },
  );
  expect(Math.min(different, alike)).toBeGreaterThan(100);
});

test("each difference has a witness, nearly always, and the reference confirms it", () => {
  let [confirmed, without] = [0, 0];
  fc.assert(
    fc.property(somePolicy, (chosen) => {
      const [before, after] = [variant(chosen, 0), variant(chosen, 1)];
      const comparison = comparePolicies(before, after);
      const prefixes = [...before.prefixes, ...after.prefixes].map(({ prefix }) => prefix);
      for (const one of comparison.differences) {
        const found = one.boxes
          .map((box) => packetIn(box, comparison.space, prefixes))
          .find((packet) => packet);
        if (!found) without++;
        else {
          const change = changeFor(found.packet, before, after, comparison);
          expect(change && isOf(one, change)).toBe(true);
          confirmed++;
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(confirmed).toBeGreaterThan(100);
  expect(without / confirmed).toBeLessThan(0.05);
});
