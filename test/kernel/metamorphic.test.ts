import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Chance } from "../../src/compiler/analysis/chance.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { normalize } from "../../src/compiler/passes/normalize.js";
import { disagree, Kernel } from "../difftest/kernel.js";
import { aimedFrom, type Supply, supplyFor } from "../difftest/packets.js";
import { casesOf } from "../difftest/trial.js";
import { policyIn } from "../support/language-arbitrary.js";
import { CHANGES } from "../support/metamorphic.js";

/**
 * What the targets make of a policy in other words does with packets what the reference says, which says the same of both
 * (test/properties/metamorphic.test.ts).
 */
const SEED = 5;
const EACH = 4;
const PACKETS = 200;

let kernel: Kernel;

beforeAll(async () => {
  kernel = await Kernel.start();
});

afterAll(async () => {
  await kernel?.close();
});

const policies = [0, 1, 2]
  .flatMap((block) => casesOf(SEED, block))
  .flatMap(({ written }) => policyIn(written) ?? []);
const supply = supplyOf(policies);

function supplyOf([policy]: readonly Policy[]): Supply {
  if (!policy) throw new Error("some policy is accepted");
  return supplyFor({ ...policy, mitigate: [], firewall: { ...policy.firewall, rules: [] } }, 1500, 1);
}

/** Targets take the passes' normal form. */
function normal(policy: Policy): Policy {
  const rules = (list: Policy["mitigate"]) => list.map((rule) => ({ ...rule, match: normalize(rule.match) }));
  return {
    ...policy,
    mitigate: rules(policy.mitigate),
    firewall: { ...policy.firewall, rules: rules(policy.firewall.rules) },
  };
}

describe("the kernel agrees with", () => {
  test.each(Object.entries(CHANGES))("%s", async (name, change) => {
    let judged = 0;
    for (const [seed, policy] of policies.entries()) {
      const pair = change(policy, new Chance(seed));
      if (!pair || judged === EACH) continue;
      judged++;
      const packets = aimedFrom(supply, pair.one, PACKETS, seed);
      for (const same of [pair.one, pair.other]) {
        expect(disagree(await kernel.judge(normal(same), packets)), `${name}, seed ${seed}`).toBe(false);
      }
    }
    expect(judged).toBe(EACH);
  });
});
