import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Chance } from "../../src/compiler/analysis/chance.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { countersOf, evaluate, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { aimedFrom, supplyFor } from "../difftest/packets.js";
import { policyIn, writtenPolicies } from "../support/language-arbitrary.js";
import { CHANGES } from "../support/metamorphic.js";

/** Policies that say the same in other words mean the same, for packets that meet their rules. */

const PACKETS = 40;
const RUNS = 60;

const policies = writtenPolicies.map(policyIn);
const [some] = fc.sample(policies, { numRuns: 1, seed: 1 });
const supply = supplyFor(withoutRules(some), 1500, 1);

function withoutRules(policy: Policy | undefined): Policy {
  if (!policy) throw new Error("the first policy is one that the compiler accepts");
  return { ...policy, mitigate: [], firewall: { ...policy.firewall, rules: [] } };
}

/** What is seen of the packets from outside, with names as `nameIn` gives them. */
function seen(policy: Policy, packets: readonly TestPacket[], nameIn: (rule: string) => string) {
  const state = newState();
  return packets.map(({ bytes, surroundings, at }) => {
    const trace = evaluate(policy, bytes, state, at, surroundings);
    const { verdict, stage, routes, held } = trace;
    const [tunnel = null] = routes.map((route) => route.tunnel);
    return { verdict, stage, tunnel, held, rule: named(trace.rule, nameIn), counted: counted(trace, nameIn) };
  });
}

function named(rule: string | null, nameIn: (rule: string) => string): string | null {
  return rule === null ? null : nameIn(rule);
}

function counted(trace: Trace, nameIn: (rule: string) => string): readonly string[] {
  const stages = ["mitigate", "firewall"] as const;
  return stages.flatMap((stage) =>
    countersOf(trace, stage)
      .map((rule) => `${stage} ${named(rule, nameIn)}`)
      .sort(),
  );
}

describe("the reference says the same with", () => {
  test.each(Object.entries(CHANGES))("%s", (_, change) => {
    let changed = 0;
    const property = fc.property(policies, fc.nat(), (policy, seed) => {
      const pair = policy && change(policy, new Chance(seed));
      if (!pair) return;
      changed++;
      const packets = aimedFrom(supply, pair.one, PACKETS, seed);
      const before = seen(pair.one, packets, (name) => name);
      expect(seen(pair.other, packets, pair.nameIn)).toEqual(before);
    });
    fc.assert(property, { numRuns: RUNS });
    expect(changed).toBeGreaterThan(RUNS / 6);
  });
});
