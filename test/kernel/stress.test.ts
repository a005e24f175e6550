import { afterAll, beforeAll, expect, test } from "vitest";
import { generateRules } from "../../bench/rulesets/generate.js";
import { policyOf } from "../../bench/rulesets/policy.js";
import { difference, differs } from "../../src/cli/verify/compare.js";
import { xdpBuild, xdpCheck } from "../../src/cli/verify/policy-checks.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { XdpStage } from "../../src/cli/verify/xdp-stage.js";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { planOf } from "../../src/targets/xdp/classifier/plan.js";
import { aimedFrom, supplyFor } from "../difftest/packets.js";
import { policy } from "../support/ir.js";
import { stressRules } from "../support/stress-rules.js";

/** Rules that tables have no room for: the kernel takes the program, and every packet is judged and counted as by the reference. */
const PACKETS = 2000;

let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.start();
});

afterAll(async () => {
  await scratch?.close();
});

/** All but every fifth only counts. */
function passing(rules: readonly Rule[]): readonly Rule[] {
  return rules.map((one, index) => (index % 5 === 0 ? one : { ...one, action: { kind: "count" } }));
}

const POLICIES: readonly (readonly [string, () => Policy])[] = [
  ["firewall rules, 10,000", () => policyOf(generateRules("fw", 10_000, 1), { stage: "mitigate" })],
  ["port ranges, 2,000", () => policy(stressRules("port ranges", 2000))],
  ["port ranges of anybody, 2,000", () => policy(stressRules("port ranges of anybody", 2000))],
  ["address ranges, 500", () => policy(stressRules("address ranges", 500))],
  ["all fields, 3,000", () => policy(stressRules("all fields", 3000))],
  ["contrived, 400", () => policy(stressRules("contrived", 400))],
  ["rules that packets pass, 4,000 of 5,000", () => policy(passing(stressRules("port ranges", 5000)))],
];

test.each(POLICIES)(
  "%s",
  async (_name, make) => {
    const judged = make();
    expect(planOf(judged)?.vectors ?? null).not.toBeNull();
    const stage = await XdpStage.load(scratch, xdpBuild(judged));
    try {
      const check = xdpCheck(judged, stage);
      const packets = aimedFrom(supplyFor(judged, PACKETS, PACKETS), judged, PACKETS, 1).filter(check.asks);
      const found = await difference(check, packets);
      expect(differs(found) ? found : null).toBeNull();
    } finally {
      await stage.unload();
    }
  },
  120_000,
);
