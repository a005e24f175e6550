import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edited } from "../../bench/analysis/edited.js";
import { readPolicyText } from "../../bench/front-end.js";
import { readClassBench } from "../../bench/rulesets/classbench.js";
import {
  type FlowRule,
  firstMatch,
  hasPorts,
  matcherOf,
  matches,
  verdictOf,
} from "../../bench/rulesets/flow-rule.js";
import { generateRules, SET_KINDS } from "../../bench/rulesets/generate.js";
import { policyOf, policyText, ruleName } from "../../bench/rulesets/policy.js";
import { Random } from "../../bench/rulesets/random.js";
import { flowOf, packetOf, traceOf } from "../../bench/rulesets/trace.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { withoutSpans } from "../support/read.js";

const ANY = { base: 0, length: 0 };
const ALL = { low: 0, high: 65_535 };

describe("a file of ClassBench", () => {
  test.each<[string, FlowRule]>([
    [
      "@192.0.2.7/32\t198.51.100.0/24\t0 : 65535\t80 : 80\t0x06/0xFF\t0x0000/0x0200\t",
      {
        source: { base: 0xc0000207, length: 32 },
        destination: { base: 0xc6336400, length: 24 },
        sourcePorts: ALL,
        destinationPorts: { low: 80, high: 80 },
        protocol: 6,
      },
    ],
    [
      "@0.0.0.0/0\t0.0.0.0/0\t0 : 65535\t0 : 65535\t0x00/0x00\t0x0000/0x0000\t",
      { source: ANY, destination: ANY, sourcePorts: ALL, destinationPorts: ALL, protocol: null },
    ],
    [
      "@10.1.2.3/8 0.0.0.0/0 1024 : 65535 53 : 60 0x11/0xFF 0x0000/0x0000",
      {
        source: { base: 0x0a000000, length: 8 },
        destination: ANY,
        sourcePorts: { low: 1024, high: 65_535 },
        destinationPorts: { low: 53, high: 60 },
        protocol: 17,
      },
    ],
  ])("%s", (line, rule) => {
    expect(readClassBench(`${line}\n`)).toEqual({ rules: [rule], problems: [] });
  });

  test.each([
    ["192.0.2.7/32 0.0.0.0/0 0 : 1 0 : 1 0x06/0xFF", "it is no ClassBench rule"],
    ["@192.0.2.256/32 0.0.0.0/0 0 : 1 0 : 1 0x06/0xFF", "an address or a prefix length is out of range"],
    ["@192.0.2.7/33 0.0.0.0/0 0 : 1 0 : 1 0x06/0xFF", "an address or a prefix length is out of range"],
    ["@192.0.2.7/32 0.0.0.0/0 2 : 1 0 : 1 0x06/0xFF", "its ports are no range within 0 and 65535"],
    ["@192.0.2.7/32 0.0.0.0/0 0 : 65536 0 : 1 0x06/0xFF", "its ports are no range within 0 and 65535"],
    ["@192.0.2.7/32 0.0.0.0/0 0 : 1 0 : 1 0x06/0x0F", "its protocol is neither one number nor all of them"],
    ["@192.0.2.7/32 0.0.0.0/0 0 : 1 0 : 1 0x2f/0xFF", "protocol 47 has no ports"],
  ])("%s: %s", (line, problem) => {
    expect(readClassBench(`\n${line}\n`)).toEqual({ rules: [], problems: [`line 2: ${problem}`] });
  });
});

describe.each(SET_KINDS)("generated %s rules", (kind) => {
  const rules = generateRules(kind, 400, 7);

  test("the same seed gives the same ones, another one others", () => {
    expect(generateRules(kind, 400, 7)).toEqual(rules);
    expect(generateRules(kind, 400, 8)).not.toEqual(rules);
  });

  test("as many as asked for, all different, ports only where the protocol has them", () => {
    expect(new Set(rules.map((rule) => JSON.stringify(rule))).size).toBe(400);
    expect(rules.filter(({ destinationPorts }) => destinationPorts.high < ALL.high).length).toBeGreaterThan(
      40,
    );
    for (const { protocol, sourcePorts, destinationPorts } of rules) {
      if (protocol === null || !hasPorts(protocol))
        expect([sourcePorts, destinationPorts]).toEqual([ALL, ALL]);
    }
  });

  test("most rules are the first to match some packet", () => {
    const met = new Set(traceOf(rules, { packets: 8000, seed: 1 }).map((flow) => firstMatch(rules, flow)));
    met.delete(-1);
    expect(met.size).toBeGreaterThan(rules.length * 0.7);
  });

  test("the fast search finds the same rules", () => {
    const match = matcherOf(rules);
    const flows = traceOf(rules, { packets: 1000, seed: 4, misses: 0.3 });
    expect(flows.map(match)).toEqual(flows.map((flow) => firstMatch(rules, flow)));
  });

  test.each(["mitigate", "firewall"] as const)(
    "as a policy's %s, written and read, they are what is built",
    (stage) => {
      const policy = readPolicyText("bench.policy.ts", policyText(rules, { stage }));
      expect(withoutSpans(policy)).toEqual(withoutSpans(policyOf(rules, { stage })));
    },
  );

  test("the reference decides as the first rule that matches says", () => {
    const policy = policyOf(rules, { stage: "firewall" });
    for (const flow of traceOf(rules, { packets: 300, seed: 2 })) {
      const index = firstMatch(rules, flow);
      const { decisions } = evaluate(policy, packetOf(flow), newState(), 0n);
      const rule = index < 0 ? null : ruleName(index);
      const verdict = index < 0 ? "allow" : verdictOf(index);
      expect({ flow, decided: decisions.at(-1) }).toEqual({
        flow,
        decided: { stage: "firewall", rule, verdict },
      });
    }
  });
});

describe("an edited set", () => {
  test.each(SET_KINDS)("of %s rules differs in as many rules as asked", (kind) => {
    const rules = generateRules(kind, 200, 9);
    const after = edited(rules, 10, 1);
    const different = rules.filter((rule, index) => JSON.stringify(rule) !== JSON.stringify(after[index]));
    expect([after.length, different.length]).toEqual([200, 10]);
    expect(edited(rules, 10, 1)).toEqual(after);
  });
});

describe("a trace", () => {
  const rules = generateRules("fw", 50, 3);

  test("the same seed gives the same one", () => {
    const options = { packets: 500, seed: 5, repeats: 2 };
    expect(traceOf(rules, options)).toEqual(traceOf(rules, options));
    expect(traceOf(rules, { ...options, seed: 6 })).not.toEqual(traceOf(rules, options));
  });

  test("is as long as asked, and flows come again where they should", () => {
    const once = traceOf(rules, { packets: 2000, seed: 5 });
    const again = traceOf(rules, { packets: 2000, seed: 5, repeats: 2 });
    const runs = (trace: readonly unknown[]) => trace.filter((flow, i) => flow !== trace[i - 1]).length;
    expect([once.length, again.length]).toEqual([2000, 2000]);
    expect(runs(once)).toBe(2000);
    expect(runs(again)).toBeLessThan(1000);
  });

  test("a rule's flow is one that the rule matches", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...rules), (seed, rule) => {
        expect(matches(rule, flowOf(rule, new Random(seed)))).toBe(true);
      }),
    );
  });
});
