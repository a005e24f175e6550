import { describe, expect, test } from "vitest";
import { renderJourney } from "../../src/cli/render/journey.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { traceJson } from "../../src/cli/render/trace-json.js";
import { analyze } from "../../src/compiler/compile.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";

const RULES = `import { count, expr, log, reject } from "tidegate";
export const rules = [
  count("seen", expr\`ip.ttl >= 1\`),
  log("noted", expr\`ip.proto == "tcp"\`, { sample: 10 }),
  reject("ident", expr\`tcp.dstport == 113\`),
];
`;

function policyText(firewall: string): string {
  return `import { allow, count, drop, expr, gre, policy } from "tidegate";
import { rules } from "./rules.ts";
export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: ${firewall} });
`;
}

/** What `explain` prints of one packet; the rules come from a module of their own. */
function journey(firewall: string, text: string): string {
  const { policy, sources, trace } = judged(firewall, text);
  return renderJourney(policy, sourcesOf(sources.values()), text, trace);
}

function judged(firewall: string, text: string) {
  const { policy, sources, diagnostics } = analyze("acme.policy.ts", policyText(firewall), {
    resolve: () => ({ kind: "module", file: "rules.ts", text: RULES }),
  });
  const parsed = parsePacket(text);
  if (!policy || parsed.kind !== "packet") throw new Error(JSON.stringify([diagnostics, parsed]));
  return { policy, sources, trace: evaluate(policy, parsed.bytes, newState(), 0n, parsed.surroundings) };
}

describe("the journey of a packet", () => {
  test.each([
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "ident (rules.ts:5)  reject: dropped, and the sender is told"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "seen (rules.ts:3)  counted, goes on"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "noted (rules.ts:4)  counted, logged if its turn comes, goes on"],
    [
      "tcp 192.0.2.7:1 > 203.0.113.9:80",
      "ident (rules.ts:5)  no match, the packet has 80: `tcp.dstport == 113`",
    ],
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", '            5 | reject("ident", expr`tcp.dstport == 113`),'],
    [
      "tcp 192.0.2.7:1 > 203.0.113.9:113 ttl=1",
      "  kernel    drop: its time to live ends here; without that:",
    ],
    [
      "udp 192.0.2.7:1 > 203.0.113.9:80",
      "ident (rules.ts:5)  no match, the packet has no such field: `tcp.dstport == 113`",
    ],
    ["udp 192.0.2.7:1 > 203.0.113.9:80", "no rule decided: reject by default"],
  ])("%s: %s", (text, line) => {
    expect(journey(`{ default: "reject", rules }`, text)).toContain(line);
  });

  test("what the firewall drops in XDP is said so, where it is", () => {
    const closed = `{ default: "drop", rules: rules.slice(2) }`;
    const last = (text: string) => journey(closed, text).split("\n").at(-1);
    expect(last("udp 192.0.2.7:1 > 203.0.113.9:80")).toMatch(
      /no rule decided: drop by default, already in XDP$/,
    );
    const [count, drop] = ['count("all", expr`ip.ttl > 0`)', 'drop("udp", expr`ip.proto == "udp"`)'];
    expect(journey(`{ default: "allow", rules: [${drop}] }`, "udp 192.0.2.7:1 > 203.0.113.9:80")).toContain(
      "udp:3  drop, already in XDP",
    );
    expect(
      journey(`{ default: "allow", rules: [${count}, ${drop}] }`, "udp 192.0.2.7:1 > 203.0.113.9:80"),
    ).not.toContain("in XDP");
  });

  test("a fragment at a stateful firewall is held", () => {
    const lines = journey(
      `{ default: "drop", rules, stateful: true }`,
      "tcp 192.0.2.7:1 > 203.0.113.9:113 frag=0+",
    ).split("\n");
    expect(lines.slice(1)).toEqual([
      "  mitigate  no rule decided: on to the firewall",
      "  firewall  held: a stateful firewall judges datagrams, and this fragment waits for the rest of its own",
    ]);
  });

  test.each([
    ["ip.src == 10.0.0.1", "udp 192.0.2.7:1 > 203.0.113.9:2", "the packet has 192.0.2.7"],
    ["ip.src == 2001:db8::1", "udp 192.0.2.7:1 > 203.0.113.9:2", "the packet is IPv4"],
    ["not ip.src == 192.0.2.7", "udp 192.0.2.7:1 > 203.0.113.9:2", "the packet has 192.0.2.7"],
    ['ip.proto == "tcp"', "udp 192.0.2.7:1 > 203.0.113.9:2", "the packet has 17 (udp)"],
    ["tcp.dstport != 2", "tcp 192.0.2.7:1 > 203.0.113.9:2", "the packet has 2"],
    ["port.dst == 80", "udp 192.0.2.7:1 > 203.0.113.9:53", "the packet has 53"],
    ["port.dst == 80", "icmp 192.0.2.7 > 203.0.113.9", "the packet has no such field"],
    ["tcp.flags.syn", "tcp 192.0.2.7:1 > 203.0.113.9:2 flags=RA", "the packet has flags=RA"],
    ["tcp.flags.syn", "tcp 192.0.2.7:1 > 203.0.113.9:2", "the packet has no flags"],
    ["ip.frag.offset == 8", "udp 192.0.2.7:1 > 203.0.113.9:2 frag=16", "the packet has 16"],
    ["ip.len > 1000", "udp 192.0.2.7:1 > 203.0.113.9:2", "the packet has 28"],
    ["payload.u8(0) == 7", "udp 192.0.2.7:1 > 203.0.113.9:2 payload=2a", "the packet has 0x2a"],
    ["ip.frag", "udp 192.0.2.7:1 > 203.0.113.9:2", "false"],
    ["tcp.dstport == 80 or udp.dstport == 80", "udp 192.0.2.7:1 > 203.0.113.9:2", "false"],
    ["ip.ttl == 3 xor ip.len == 9", "udp 192.0.2.7:1 > 203.0.113.9:2", "false"],
  ])("why `%s` does not match %s: %s", (match, text, why) => {
    const rules = `[allow("only", expr\`${match}\`)]`;
    expect(journey(`{ default: "drop", rules: ${rules} }`, text)).toContain(`no match, ${why}: \`${match}\``);
  });

  test("the tunnel, and the outer header", () => {
    const routes = `tunnels: { home: gre({ remote: "198.51.100.9", key: 7 }) },
      routes: [{ prefix: "203.0.113.0/24", tunnel: "home" }]`;
    const lines = journey(`{ default: "allow", rules: [] }, ${routes}`, "udp 192.0.2.7:1 > 203.0.113.9:2");
    expect(lines).toContain(
      "tunnel home: GRE from the edge's anycast address to 198.51.100.9, ttl 64, key 7",
    );
  });

  test("tunnels that share its flows, each with its part; in JSON none of them is the one", () => {
    const routes = `tunnels: { home: gre({ remote: "198.51.100.9" }), away: gre({ remote: "198.51.100.8" }) },
      routes: [
        { prefix: "203.0.113.0/24", tunnel: "home", weight: 3 },
        { prefix: "203.0.113.0/24", tunnel: "away" },
      ]`;
    const open = `{ default: "allow", rules: [] }, ${routes}`;
    const text = "udp 192.0.2.7:1 > 203.0.113.9:9";
    expect(journey(open, text).split("\n").slice(-2)).toEqual([
      "  route     3 of 4 flows: tunnel home: GRE from the edge's anycast address to 198.51.100.9, ttl 64",
      "            1 of 4 flows: tunnel away: GRE from the edge's anycast address to 198.51.100.8, ttl 64",
    ]);
    const { policy, trace } = judged(open, text);
    const tunnels = [
      { name: "home", weight: 3 },
      { name: "away", weight: 1 },
    ];
    expect(traceJson(policy, text, trace)).toMatchObject({ tunnel: null, tunnels });
  });

  test.each<[string, string, string, string | undefined]>([
    ["{}", "", "            while no tunnel lives: dropped, the prefix is a black hole", "blackhole"],
    ["{}", ', noLiveTunnel: "use"', "            while no tunnel lives: the same", "use"],
    // A wider route by a tunnel that nobody asks takes the packet then.
    ['"off"', "", "", undefined],
  ])("what becomes of it while no tunnel lives: %s%s", (health, choice, last, expected) => {
    const routes = `tunnels: {
        home: gre({ remote: "198.51.100.9", health: {} }),
        away: gre({ remote: "198.51.100.8", health: ${health} }),
      },
      routes: [{ prefix: "203.0.113.0/25", tunnel: "home" }, { prefix: "203.0.113.0/24", tunnel: "away" }]`;
    const open = `{ default: "allow", rules: [] }, ${routes}${choice}`;
    const text = "udp 192.0.2.7:1 > 203.0.113.9:9";
    const lines = journey(open, text).split("\n");
    const found = lines.filter((line) => line.includes("while no tunnel lives"));
    expect(found).toEqual(last === "" ? [] : [last]);
    const { policy, trace } = judged(open, text);
    expect((traceJson(policy, text, trace) as { noLiveTunnel?: string }).noLiveTunnel).toBe(expected);
  });

  test.each([
    ["", "xdp", "sent from XDP, or by the namespace where XDP knows no next hop"],
    [
      ", health: {}",
      "xdp",
      "sent from XDP, or by the namespace where XDP knows no next hop or the tunnel's router is dead",
    ],
    [", health: {}, dscp: 46", "namespace", "by the namespace: its tunnel is the namespace's"],
  ])("the datapath that it takes into a tunnel%s", (besides, where, last) => {
    const two = `tunnels: { home: gre({ remote: "198.51.100.9"${besides} }), away: gre({ remote: "198.51.100.8" }) }`;
    const routes = `routes: [{ prefix: "203.0.113.0/25", tunnel: "home" }, { prefix: "203.0.113.0/24", tunnel: "away" }]`;
    const open = `{ default: "allow", rules: [] }, datapath: "xdp", ${two}, ${routes}`;
    const text = "udp 192.0.2.7:1 > 203.0.113.9:9";
    expect(journey(open, text).split("\n").at(-1)).toBe(`  datapath  ${last}`);
    const { policy, trace } = judged(open, text);
    expect(traceJson(policy, text, trace)).toMatchObject({ tunnel: "home", where });
  });
});
