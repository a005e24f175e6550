import { describe, expect, test } from "vitest";
import { contents, type Judge, transition } from "../../runtime/customer/generations.js";
import { readRuleset } from "../../runtime/customer/ruleset.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { emit } from "../../src/targets/nft/emit.js";
import { address, policy, rule, tunnel } from "../support/ir.js";

const OLD = "a".repeat(64);
const NEW = "b".repeat(64);

/** A firewall with a limit of so many packets a second. */
function firewall(
  rate: number,
  overrides: Partial<Policy["firewall"]> = {},
  tunnels: Policy["tunnels"] = [],
): string {
  const limit = {
    rate: { count: rate, unit: "s" },
    burst: 10n,
    interval: 1_000_000_000n / BigInt(rate),
    per: "ip.src",
  } as const;
  const rules = [
    rule("slow", { kind: "limit", limit }, address("ip.src", "192.0.2.0/24")),
    rule("jump", "allow", address("ip.src", "198.51.100.0/24")),
  ];
  const [nft] = emit({
    ...policy([]),
    firewall: { default: "drop", rules, stateful: false, offload: "off", ...overrides },
    tunnels,
  });
  return nft?.text ?? "";
}

function judge(stamp: number, text: string, hash: string): Judge {
  return { stamp, mark: 1 + (stamp % 2), ruleset: readRuleset(text, hash) };
}

const names = (text: string, hash: string) => readRuleset(text, hash).declarations.map(({ name }) => name);

describe("names", () => {
  test("of chains and sets are their generation's, those of counters are not", () => {
    const old = names(firewall(5), OLD);
    expect(old).toContain("firewall.aaaaaaaaaaaa");
    expect(old).toContain("prefixes-4.aaaaaaaaaaaa");
    expect(old).toContain("rule-jump");
  });

  test("of a limit stay while its terms do", () => {
    const limits = (text: string, hash: string) =>
      names(text, hash).filter((name) => name.startsWith("limit-"));
    const before = limits(firewall(5), OLD);
    expect(before).toHaveLength(3);
    expect(limits(firewall(5, { default: "allow" }), NEW)).toEqual(before);
    expect(limits(firewall(6), NEW).filter((name) => before.includes(name))).toEqual([]);
  });

  test("in quoted texts are left alone", () => {
    const { declarations } = readRuleset(firewall(5), OLD);
    expect(declarations.flatMap(({ lines }) => lines).join("\n")).toContain('comment "jump"');
  });

  test("are asked of nothing else", () => {
    expect(() => readRuleset("table inet tidegate {\n\tflowtable f {\n\t}\n}\n", OLD)).toThrow(/flowtable f/);
    expect(() => readRuleset('include "x"\n', OLD)).toThrow(/not a table/);
    expect(() => readRuleset("table inet tidegate {\n\tcounter c {\n\t}\n}\n", OLD)).toThrow(
      /no `prerouting`/,
    );
  });
});

/** The rules that are made anew in each transaction: those that packets are in meanwhile. */
function rulesOf(text: string): readonly string[] {
  return [...text.matchAll(/^add rule inet tidegate (.*)$/gm)].map(([, rule]) => rule ?? "");
}

describe("a transition", () => {
  const old = judge(1, firewall(5), OLD);
  const next = judge(2, firewall(5, { default: "allow" }), NEW);

  test("from nothing declares everything, and drops what has no known stamp", () => {
    const text = transition(new Set(), [old]);
    expect(text).toContain("\tchain prerouting.aaaaaaaaaaaa {");
    expect(text).toContain(
      "add rule inet tidegate judge.-450 ether saddr 02:54:47:01:00:01 goto prerouting.aaaaaaaaaaaa\n" +
        "add rule inet tidegate judge.-450 counter name unknown-generation drop",
    );
    expect(text).not.toMatch(/delete/);
  });

  test("to a second one adds only what is new, and each stamp meets its own", () => {
    const text = transition(new Set(contents([old])), [next, old]);
    expect(text).not.toMatch(/chain firewall\.aaaa|counter rule-jump \{|set limit-slow/);
    expect(rulesOf(text)).toEqual([
      'judge.-450 iifname != "edge" goto way-back.aaaaaaaaaaaa',
      "judge.-450 ether saddr 02:54:47:01:00:02 goto prerouting.bbbbbbbbbbbb",
      "judge.-450 ether saddr 02:54:47:01:00:01 goto prerouting.aaaaaaaaaaaa",
      "judge.-450 counter name unknown-generation drop",
      'routes iifname "edge" ether saddr 02:54:47:01:00:02 meta mark set 0x1',
      'routes iifname "edge" ether saddr 02:54:47:01:00:01 meta mark set 0x2',
    ]);
    expect(text).not.toMatch(/delete/);
  });

  test("has no map or set in a rule that packets are in: a look-up in one that goes finds nothing", () => {
    for (const judges of [[old], [next, old], [next]])
      expect(rulesOf(transition(new Set(), judges)).join("\n")).not.toMatch(/[{@]/);
  });

  test("back to one removes what only the other had", () => {
    const text = transition(new Set(contents([next, old])), [next]);
    expect(text).toContain("delete chain inet tidegate firewall.aaaaaaaaaaaa");
    expect(text).toContain("delete set inet tidegate prefixes-4.aaaaaaaaaaaa");
    expect(text).not.toMatch(/delete (set|chain) inet tidegate limit|delete counter/);
    expect(text).not.toContain("02:54:47:01:00:01");
  });

  test("where one is stateful lets each through the other's place", () => {
    const stateful = judge(2, firewall(5, { stateful: true }), NEW);
    const text = transition(new Set(contents([old])), [stateful, old]);
    expect(rulesOf(text).filter((rule) => rule.startsWith("judge.filter "))).toEqual([
      'judge.filter iifname != "edge" accept',
      "judge.filter ether saddr 02:54:47:01:00:02 goto prerouting.bbbbbbbbbbbb",
      "judge.filter ether saddr 02:54:47:01:00:01 accept",
      "judge.filter counter name unknown-generation drop",
    ]);
    expect(transition(new Set(contents([stateful, old])), [old])).toContain(
      "delete chain inet tidegate judge.filter",
    );
  });

  test("judges the way back before reassembly, whatever the firewalls are, once", () => {
    const stateful = judge(2, firewall(5, { stateful: true }), NEW);
    for (const judges of [[stateful], [old, stateful], [stateful, old]]) {
      const text = transition(new Set(), judges);
      const places = [...text.matchAll(/^\tchain judge\.(.*) \{\n\t\t(.*)$/gm)].map(([, ...found]) => found);
      expect(places.sort()).toEqual([
        ["-450", "type filter hook prerouting priority -450; policy drop;"],
        ["filter", "type filter hook prerouting priority filter; policy drop;"],
      ]);
      expect(rulesOf(text).filter((rule) => rule.includes('iifname != "edge"'))).toEqual([
        `judge.-450 iifname != "edge" goto ${judges.at(-1)?.ruleset.wayBack}`,
        'judge.filter iifname != "edge" accept',
      ]);
    }
    expect(
      rulesOf(transition(new Set(), [stateful])).filter((rule) => rule.startsWith("judge.-450")),
    ).toEqual([
      'judge.-450 iifname != "edge" goto way-back.bbbbbbbbbbbb',
      "judge.-450 ether saddr 02:54:47:01:00:02 accept",
      "judge.-450 counter name unknown-generation drop",
    ]);
  });

  test("lowers the MSS as each generation says, and where none does nowhere", () => {
    const clamping = judge(2, firewall(5, {}, [tunnel("home", "198.51.100.1")]), NEW);
    const text = transition(new Set(contents([old])), [old, clamping]);
    expect(text).toContain("\t\ttype filter hook forward priority mangle; policy accept;");
    expect(rulesOf(text).filter((rule) => rule.startsWith("segment-size "))).toEqual([
      'segment-size iifname != "edge" jump segment-size.bbbbbbbbbbbb',
      `segment-size meta mark 0x${old.mark} accept`,
      `segment-size meta mark 0x${clamping.mark} goto segment-size.bbbbbbbbbbbb`,
    ]);
    const back = transition(new Set(contents([old, clamping])), [old]);
    expect(back).toContain("delete chain inet tidegate segment-size\n");
    expect(back).toContain("delete chain inet tidegate segment-size.bbbbbbbbbbbb\n");
  });
});
