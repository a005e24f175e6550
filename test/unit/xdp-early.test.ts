import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { AddressList, Firewall, Policy, Rule } from "../../src/compiler/ir/policy.js";
import { withinRoom } from "../../src/targets/registry.js";
import { check } from "../../src/targets/xdp/check.js";
import { mostMaps } from "../../src/targets/xdp/cost.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { tables } from "../../src/targets/xdp/tables.js";
import {
  and,
  constant,
  entangled,
  inList,
  limit,
  list,
  number,
  or,
  policy,
  rule,
  tunnel,
} from "../support/ir.js";

type Options = Partial<Omit<Firewall, "rules">>;

const [{ prefix }] = policy([]).prefixes as [Policy["prefixes"][number]];
const route = { prefix, priority: 100, weight: 1, span: policy([]).span };

const BOGONS = rule("bogons", "drop", number("tcp.dstport", 0));

function built(rules: readonly Rule[], options: Options = {}, lists: readonly AddressList[] = []): Policy {
  const firewall: Firewall = { default: "drop", stateful: false, offload: "auto", ...options, rules };
  return { ...policy([BOGONS], lists), firewall };
}

function text(of: Policy): string {
  return emit(of)[0]?.text ?? "";
}

/** The body of `firewall()`, or null: the program has none. */
function chain(of: Policy): string | null {
  return /struct tg_verdict firewall\([^{]*\{\n(.*?)\n\}/s.exec(text(of))?.[1]?.replaceAll("\t", "") ?? null;
}

const web = number("tcp.dstport", 80);
const ssh = number("tcp.dstport", 22);

describe("the early step", () => {
  test("reads like the firewall", () => {
    const rules = [rule("web", "allow", web), rule("seen", { kind: "count" }, ssh), rule("ssh", "drop", ssh)];
    expect(chain(built(rules))).toBe(
      [
        ...["if (rule_web(p))", "return tg_undecided();", "if (rule_seen(p))", "return tg_undecided();"],
        ...["if (rule_ssh(p))", "return tg_verdict(4, XDP_DROP);", "return tg_verdict(5, XDP_DROP);"],
      ].join("\n"),
    );
    expect(text(built(rules))).toContain("TG_COUNTERS(6);");
    expect(text(built(rules))).toContain(
      'of customer "acme", and what of its firewall can be decided this early. */',
    );
  });

  test("ends behind the last drop where the default is none", () => {
    const rules = [rule("ssh", "drop", ssh), rule("web", "allow", web), rule("seen", { kind: "count" }, ssh)];
    expect(chain(built(rules, { default: "allow" }))).toBe(
      "if (rule_ssh(p))\nreturn tg_verdict(2, XDP_DROP);\nreturn tg_undecided();",
    );
  });

  test.each<[string, Policy]>([
    ["off", built([rule("ssh", "drop", ssh)], { offload: "off" })],
    ["nothing to drop", built([rule("web", "allow", web)], { default: "reject" })],
    ["nothing gets past the first rule", built([rule("all", limit(1, 1, null), constant(true))])],
    ["room for none", built([rule("ssh", "drop", ssh)], { earlyRules: 0 })],
  ])("is left out: %s", (_, one) => {
    expect(chain(one)).toBeNull();
    expect(text(one)).toContain("TG_COUNTERS(2);");
  });

  test("asks twice about a rule that connections matter to, and of fragments first", () => {
    const strays = rule("strays", "drop", and(web, number("ct.state", CT_STATES.invalid)));
    const mixed = rule("mixed", "allow", and(ssh, number("ct.state", CT_STATES.established)));
    expect(chain(built([strays, mixed], { stateful: true }))).toBe(
      [
        ...[
          "if (fragment(p, ctx))",
          "return tg_undecided();",
          "if (maybe_strays(p))",
          "return tg_undecided();",
        ],
        ...["if (rule_mixed(p))", "return tg_undecided();", "return tg_verdict(4, XDP_DROP);"],
      ].join("\n"),
    );
    expect(text(built([strays], { stateful: true }))).not.toContain("ct_state");
  });

  test("brings the lists that it asks", () => {
    const lists = [list("known", "192.0.2.0/24"), list("late", "198.51.100.0/24")];
    const rules = ["known", "late"].map((name) => rule(name, "drop", inList("ip.src", name, 4)));
    const maps = (one: Policy) => tables(one).map(({ map }) => map);
    expect(maps(built(rules, {}, lists))).toEqual(["list_known_4", "list_late_4"]);
    expect(maps(built(rules, { earlyRules: 1 }, lists))).toEqual(["list_known_4"]);
    expect(maps(built(rules, { offload: "off" }, lists))).toEqual([]);
  });
});

const PORTS = Array.from({ length: 1200 }, (_, i) => 3 * i);

/** The last one is what tables cannot say. */
function large(count: number): readonly Rule[] {
  return Array.from({ length: count }, (_, i) => {
    const match = number("tcp.dstport", ...PORTS);
    return rule(`r${i}`, "drop", i < count - 1 ? match : or(match, entangled("x")));
  });
}

describe("what fits", () => {
  const lists = [list("x", "10.0.0.1")];

  test("is looked at, and a firewall that is too large is no mistake", () => {
    const early = (rules: readonly Rule[], options?: Options) =>
      withinRoom(built(rules, options, lists)).firewall.earlyRules;
    expect(early(large(3))).toBeUndefined();
    expect(early(large(4))).toBe(3);
    expect(early(large(9))).toBe(3);
    expect(early(large(9), { offload: "off" })).toBeUndefined();
  });

  test("what lies behind the last rule that fits is the namespace's, the default too", () => {
    const one = withinRoom(built(large(4), {}, lists));
    expect(chain(one)).toContain("return tg_verdict(4, XDP_DROP);\nreturn tg_undecided();");
    expect(text(one)).not.toContain("rule_r3");
  });

  test("counts maps, too", () => {
    const names = Array.from({ length: 70 }, (_, i) => `list${i}`);
    const many = names.map((name) => list(name, "192.0.2.0/24"));
    const rules = names.map((name) => rule(name, "drop", inList("ip.src", name, 4)));
    expect(withinRoom(built(rules, {}, many)).firewall.earlyRules).toBeUndefined();
    const odd = rule("odd", "drop", entangled("list0"));
    expect(withinRoom(built([odd, ...rules], {}, many)).firewall.earlyRules).toBe(61);
  });

  test("mitigate comes first", () => {
    const crowded = {
      ...built(large(1), {}, lists),
      mitigate: large(3).map((one) => ({ ...one, name: `m-${one.name}` })),
    };
    expect(withinRoom(crowded).firewall.earlyRules).toBe(0);
    expect(chain(withinRoom(crowded))).toBeNull();
  });
});

describe("what sends packets on", () => {
  const near = tunnel("near", "198.51.100.1");
  const far = tunnel("far", "198.51.100.2");
  const into = (name: string) => ({ ...route, tunnel: name });
  const fast = (
    rules: readonly Rule[],
    options: Options = {},
    besides: Partial<Policy> = { tunnels: [near], routes: [into("near")] },
  ): Policy => ({ ...built(rules, options), datapath: "xdp", ...besides });
  const allow = rule("web", "allow", web);
  /** As much of `mitigate` as a program has room for. */
  const crowd = large(3).map((one) => ({ ...one, name: `m-${one.name}` }));

  test.each<[string, Policy]>([
    ["nothing gets past the first rule", fast([rule("all", { kind: "count" }, constant(true)), allow])],
    ["nothing is allowed or dropped", fast([], { default: "reject" })],
    ["things are only dropped", fast([rule("ssh", "drop", ssh)])],
    ["room for none", fast([allow], { earlyRules: 0 })],
  ])("is left out: %s", (_, one) => {
    expect(text(one)).not.toMatch(/forward\.h|tunnel_of|"GPL"|GPL-2\.0/);
  });

  test("is there where something is allowed", () => {
    const of = text(fast([allow]));
    for (const part of ["SPDX-License-Identifier: GPL-2.0", "forward.h", "tunnel_of(p)", '"GPL"'])
      expect(of).toContain(part);
  });

  test.each<[string, Policy, string | null]>([
    ["nothing surely", fast([rule("ssh", "drop", ssh)]), "the firewall allows nothing that XDP can tell"],
    ["something", fast([allow]), null],
    [
      "no room for it",
      fast(
        [rule("ports", "allow", number("tcp.dstport", ...PORTS))],
        {},
        { tunnels: [near], routes: [into("near")], mitigate: crowd, lists: [list("x", "10.0.0.1")] },
      ),
      "XDP has no room for a rule of the firewall that allows",
    ],
    ...[
      { tunnels: [{ ...near, kind: "ipip" as const }], routes: [into("near")] },
      { tunnels: [tunnel("near", "2001:db8:1::1")], routes: [into("near")] },
      { tunnels: [{ ...near, dscp: 46 }], routes: [into("near")] },
      { tunnels: [near, far], routes: [into("near"), into("far")] },
    ].map((besides): [string, Policy, string] => [
      "no way",
      fast([allow], {}, besides),
      "of the routes each shares its prefix, or leads into a tunnel that only the namespace can take",
    ]),
    [
      "one way of two",
      fast(
        [allow],
        {},
        {
          tunnels: [{ ...near, kind: "ipip" }, far],
          routes: [into("near"), { ...into("far"), priority: 7 }],
        },
      ),
      null,
    ],
  ])("must have something to send: %s", (_, one, reason) => {
    const diagnostics = new Diagnostics();
    check(one, diagnostics);
    const said = diagnostics.all.map(({ code, message }) => `${code} ${message}`);
    expect(said).toEqual(
      reason === null ? [] : [`TG4010 no packet could take \`datapath: "xdp"\`: ${reason}`],
    );
  });

  test("its maps are four of those that a program may have", () => {
    expect(mostMaps(built([allow])) - mostMaps(fast([allow]))).toBe(4);
  });
});
