import { describe, expect, test } from "vitest";
import { differing } from "../../src/cli/diff/differing.js";
import { renderDifference } from "../../src/cli/render/difference.js";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { address, and, limit, number, policy, rule } from "../support/ir.js";

/** Differences that lie in more than one packet's verdict. */

const UDP = number("ip.proto", 17);
const PARTS = rule("parts", "drop", and(UDP, number("ip4.frag.offset", [1, 0x1fff])));

function mitigating(...mitigate: readonly Rule[]): Policy {
  return policy(mitigate);
}

function stateful(before: Policy): Policy {
  return { ...before, firewall: { ...before.firewall, stateful: true } };
}

describe("before a stateful firewall", () => {
  test("fragments that are dropped differ from those that are held", () => {
    const found = differing(stateful(mitigating(PARTS)), stateful(mitigating()));
    expect(found.equal).toBe(false);
    expect(found.regions).toMatchObject([
      {
        before: { verdict: "drop", stage: "mitigate", rule: "parts", held: false },
        after: { verdict: "drop", stage: "firewall", rule: null, held: true },
        change: "widened",
        witness: expect.stringMatching(/^udp|^proto=17/),
      },
    ]);
    expect(renderDifference(found)).toContain("held for the rest of its datagram");
  });

  test("the firewall's rules do not see fragments", () => {
    const judging = (...rules: readonly Rule[]): Policy => {
      const base = stateful(mitigating());
      return { ...base, firewall: { ...base.firewall, rules } };
    };
    const { equal } = differing(judging(), judging({ ...PARTS, action: { kind: "reject" } }));
    expect(equal).toBe(true);
  });
});

test("the order of limits makes a difference: what one drops takes nothing from the next", () => {
  const each = rule("each", limit(10, 10, "ip.src"), UDP);
  const all = rule("all", limit(1000, 10, null), UDP);
  const { equal, regions } = differing(mitigating(each, all), mitigating(all, each));
  expect(equal).toBe(false);
  expect(regions).toMatchObject([
    { before: { limits: ["each", "all"] }, after: { limits: ["all", "each"] } },
  ]);
});

test("all packets but those of one address are not exactly all packets", () => {
  const base = policy([]);
  const rules = [rule("one", "reject", address("ip.src", "192.0.2.7"))];
  const [before, after] = (["drop", "allow"] as const).map(
    (verdict): Policy => ({
      ...base,
      firewall: { ...base.firewall, default: verdict, rules },
      routes: base.prefixes.map((one) => ({ ...one, tunnel: "t", priority: 100, weight: 1 })),
    }),
  );
  const { regions } = differing(before ?? base, after ?? base);
  expect(regions).toMatchObject([{ packets: "all packets", isExact: false }]);
});
