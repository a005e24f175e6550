import { afterAll, beforeAll, expect, test } from "vitest";
import { difference, differs } from "../../src/cli/verify/compare.js";
import { xdpBuild, xdpCheck } from "../../src/cli/verify/policy-checks.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { XdpStage } from "../../src/cli/verify/xdp-stage.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { aimedFrom, supplyFor } from "../difftest/packets.js";
import { casesOf } from "../difftest/trial.js";
import { policyIn } from "../support/language-arbitrary.js";

/** Random policies looked up, however few their rules: each packet's verdict and every counter as the reference says. */
const SEED = Number(process.env["TIDEGATE_CLASSIFIER_SEED"] ?? 5_112_026);
const POLICIES = Number(process.env["TIDEGATE_CLASSIFIER_POLICIES"] ?? 60);
const PACKETS = 400;

let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.start();
});

afterAll(async () => {
  await scratch?.close();
});

function randomPolicies(): readonly (readonly [text: string, policy: Policy])[] {
  const found: (readonly [string, Policy])[] = [];
  for (let block = 0; found.length < POLICIES; block++) {
    for (const { written } of casesOf(SEED, block)) {
      const policy = policyIn(written);
      if (policy) found.push([written.text, policy]);
    }
  }
  return found.slice(0, POLICIES);
}

test.each(["tables", "vectors"] as const)(
  "random policies by %s judge and count as the reference does",
  async (form) => {
    let stage: XdpStage | null = null;
    let planned = 0;
    const policies = randomPolicies();
    const [[, first] = []] = policies;
    if (!first) throw new Error("there are policies");
    const empty = { ...first, mitigate: [], firewall: { ...first.firewall, rules: [] } };
    const supply = supplyFor(empty, 3000, 3000);
    for (const [index, [text, policy]] of policies.entries()) {
      if (!planOf(policy, form)) continue;
      planned++;
      const build = xdpBuild(policy, () => emit(policy, form), form);
      if (stage) await stage.replace(build);
      else stage = await XdpStage.load(scratch, build);
      const check = xdpCheck(policy, stage);
      const found = await difference(check, aimedFrom(supply, policy, PACKETS, index).filter(check.asks));
      expect(differs(found) ? found : null, text).toBeNull();
    }
    await stage?.unload();
    expect(planned).toBeGreaterThan(POLICIES / 3);
  },
  POLICIES * 5000,
);
