import { describe, expect, test } from "vitest";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { MEASURED, type Tuning } from "../../src/targets/nft/classifier/tuning.js";
import { emit } from "../../src/targets/nft/emit.js";
import { firewall } from "../support/firewall-policies.js";
import { address, and, number, or, rule } from "../support/ir.js";

const EAGER: Tuning = { ...MEASURED, chainLines: 0, lookup: 1, tree: 1e9, shortList: 0, list: 0 };
const SEVERAL: Tuning = { ...EAGER, tree: -1e9 };

/** The lines of each chain by its name. */
function chains(policy: Policy, tuning?: Tuning): Readonly<Record<string, readonly string[]>> {
  const [artifact] = emit(policy, tuning);
  const blocks = [...(artifact?.text ?? "").matchAll(/\n\tchain (\S+) \{\n([\s\S]*?)\n\t\}/g)];
  return Object.fromEntries(
    blocks.map(([, name, body = ""]) => [name, body.split("\n").map((line) => line.trim())]),
  );
}

const hosts = (count: number) =>
  Array.from({ length: count }, (_, i) => rule(`r${i}`, "allow", address("ip.dst", `203.0.113.${i}`)));

describe("a firewall", () => {
  test("of few rules is a chain", () => {
    expect(Object.keys(chains(firewall(hosts(16))))).not.toContain("firewall-tree-1");
  });

  test("of more rules is a tree", () => {
    const { firewall: entry, "firewall-tree-1": root } = chains(firewall(hosts(17)));
    expect(entry?.[0]).toBe("jump firewall-tree-1");
    expect(root?.[0]).toBe("ip daddr vmap {");
    expect(root).toHaveLength(19);
  });

  test("of many rules that no question tells apart stays lines", () => {
    const rules = Array.from({ length: 40 }, (_, i) => rule(`r${i}`, "allow", number("ip4.ttl", i)));
    const { "firewall-tree-1": root } = chains(firewall(rules));
    expect(root).toHaveLength(40);
  });
});

const web = rule("web", "allow", and(address("ip.dst", "203.0.113.9"), number("tcp.dstport", 80)));
const net = rule("net", "drop", address("ip.src", "10.0.0.0/8"));
const host = rule("host", "reject", address("ip.dst", "203.0.113.9"));
const mail = rule("mail", "allow", and(address("ip.dst", "203.0.113.8"), number("tcp.dstport", 25)));

describe("a tree", () => {
  test("sends on what it knows, and goes on with what may come back", () => {
    const all = chains(firewall([web, host, mail, net]), EAGER);
    expect(all["firewall-tree-1"]).toEqual([
      "ip daddr vmap {",
      "203.0.113.8 : jump firewall-tree-1-1,",
      "203.0.113.9 : jump firewall-tree-1-3",
      "}",
      'ip saddr 10.0.0.0/8 counter name rule-net drop comment "net"',
    ]);
  });

  test("asks nothing twice", () => {
    const rules = [
      rule("web", "allow", and(number("tcp.dstport", 80), number("ip4.ttl", 1))),
      rule("high", "allow", and(number("tcp.dstport", [1024, 65535]), number("ip4.ttl", 2))),
      rule("names", "allow", and(number("udp.dstport", 53), address("ip.dst", "203.0.113.9"))),
      rule("host", "drop", address("ip.dst", "203.0.113.9")),
      rule("tcp", "drop", number("ip.proto", 6)),
      rule("tunnel", "drop", number("ip.proto", 47)),
    ];
    const all = chains(firewall(rules), { ...EAGER, growth: 64 });
    const lines = Object.entries(all).flatMap(([name, own]) => (name.includes("-tree-") ? own : []));
    expect(lines).toContain('ip ttl 2 th dport >= 1024 counter name rule-high accept comment "high"');
    expect(lines).toContain('counter name rule-host drop comment "host"');
    expect(lines).toContain('counter name rule-tunnel drop comment "tunnel"');
  });

  test("asks for the protocol alone behind a port of several", () => {
    const ports = Array.from({ length: 8 }, (_, i) =>
      rule(`udp${i}`, "allow", and(number("udp.dstport", i), number("ip4.ttl", i))),
    );
    const all = chains(firewall([...ports, rule("tcp", "drop", number("tcp.dstport", 3))]), EAGER);
    const lines = Object.entries(all).flatMap(([name, own]) => (name.includes("-tree-") ? own : []));
    expect(lines).toContain('meta l4proto 6 counter name rule-tcp drop comment "tcp"');
    expect(lines).toContain('ip ttl 3 meta l4proto 17 counter name rule-udp3 accept comment "udp3"');
  });

  test("leaves out what no packet can reach", () => {
    const hidden = rule(
      "hidden",
      "allow",
      and(address("ip.dst", "203.0.113.9"), address("ip.src", "10.0.0.0/8")),
    );
    const policy = firewall([host, hidden, mail]);
    const inTree = Object.entries(chains(policy, EAGER)).filter(([name]) => name.startsWith("firewall-tree"));
    expect(inTree.flatMap(([, lines]) => lines).filter((line) => line.includes("hidden"))).toEqual([]);
    expect(emit(policy, EAGER)[0]?.text).toContain("counter rule-hidden {");
  });

  test("lets no packet meet a rule twice that it goes on from", () => {
    const seen = rule(
      "seen",
      { kind: "count" },
      or(address("ip.src", "10.0.0.0/8"), number("tcp.dstport", 80)),
    );
    const all = chains(firewall([seen, web, mail]), EAGER);
    const counting = Object.values(all).filter((lines) => lines.some((line) => line.includes("rule-seen")));
    expect(counting.length).toBeGreaterThan(1);
    expect(all["firewall-tree-1"]?.filter((line) => line.includes(" : jump "))).toEqual([]);
  });
});

describe("several trees", () => {
  const rules: readonly Rule[] = [mail, net, web, host];

  test("let the earlier rule decide", () => {
    const all = chains(firewall(rules), SEVERAL);
    expect(all["firewall-tree-1"]?.slice(-2)).toEqual([
      "meta mark & 28 == 4 return",
      'ip daddr 203.0.113.9 meta mark set 39 return comment "host"',
    ]);
    expect(all["firewall-tree-2"]).toEqual(['ip saddr 10.0.0.0/8 counter name rule-net drop comment "net"']);
    expect(all["firewall"]).toEqual([
      "meta mark set 0",
      "jump firewall-tree-1",
      "meta mark < 105 jump firewall-tree-2",
      "counter name meta mark map {",
      '70 : "rule-web",',
      '39 : "rule-host"',
      "}",
      "meta mark & 3 == 2 meta mark set 0 accept",
      "meta mark & 3 == 3 meta mark set 0 goto rejected",
      "# no rule decided",
      'counter name default drop comment "default"',
    ]);
  });
});
