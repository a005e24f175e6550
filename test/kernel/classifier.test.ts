import { afterAll, beforeAll, expect, test } from "vitest";
import { difference, differs } from "../../src/cli/verify/compare.js";
import { xdpBuild, xdpCheck } from "../../src/cli/verify/policy-checks.js";
import { packetOfText } from "../../src/cli/verify/proof.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { XdpStage } from "../../src/cli/verify/xdp-stage.js";
import type { Intervals } from "../../src/compiler/ir/intervals.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { aimedFrom, supplyFor } from "../difftest/packets.js";
import { casesOf } from "../difftest/trial.js";
import { acme } from "../support/acme-edge.js";
import { address, and, inList, list, not, rule } from "../support/ir.js";
import { policyIn } from "../support/language-arbitrary.js";

/** Random policies looked up, however few their rules: each packet's verdict and every counter as the reference says. */
const SEED = Number(process.env["TIDEGATE_CLASSIFIER_SEED"] ?? 5_112_026);
const POLICIES = Number(process.env["TIDEGATE_CLASSIFIER_POLICIES"] ?? 40);
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

/** More ranges than a tree is made for, 203.0.113.5 among them; in one part of them more than a line has room for. */
const HOSTS: Intervals = Array.from({ length: 2 ** 16 + 300 }, (_, host) => {
  const low = 0xc612_0000n + BigInt(host < 300 ? 8 * host : 0x4_0105 + 4096 * host);
  return { low, high: low };
});

test("a long list parts packets that other rules part, too", async () => {
  const mitigate = [
    rule("host", "allow", address("ip.src", "198.18.0.8")),
    rule("from", "drop", and(inList("ip.src", "hosts", 4), address("ip.dst", "203.0.113.0/25"))),
    rule("near", "drop", address("ip.src", "198.18.4.0/24")),
    rule("to", "drop", not(inList("ip.dst", "hosts", 4))),
  ];
  const policy = acme({ mitigate, lists: [{ ...list("hosts"), 4: HOSTS }] });
  expect(emit(policy)[0]?.text).toMatch(/TG_SOURCES_LISTED [1-9].*\n.*TG_DESTINATIONS_LISTED [1-9]/);
  const stage = await XdpStage.load(scratch, xdpBuild(policy));
  const sources = ["198.18.0.0", "198.18.0.7", "198.18.0.8", "198.18.0.16", "198.18.4.0", "198.18.4.1"];
  const texts = [...sources, "198.31.97.4", "198.31.97.5", "198.31.97.6", "9.9.9.9"].flatMap((source) =>
    ["203.0.113.5", "203.0.113.6", "203.0.113.200"].map((to) => `udp ${source}:53 > ${to}:9`),
  );
  const found = await difference(
    xdpCheck(policy, stage),
    texts.flatMap((text) => packetOfText(text, "")),
  );
  expect(differs(found) ? found : null).toBeNull();
  await stage.unload();
});
