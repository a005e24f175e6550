import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as runtime from "../../runtime/customer/fast-path.js";
import { formatPrefix } from "../../src/compiler/ir/address.js";
import { FAST_TUNNELS, type Policy } from "../../src/compiler/ir/policy.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { manifest } from "../../src/targets/bundle.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { policyOf } from "../support/policies.js";

const policyWith = (besides: string) =>
  policyOf(`import { policy, expr, allow, drop, count, gre } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "203.0.114.0/24", "2001:db8:a::/48"],
  tunnels: {
    near: gre({ remote: "192.0.2.1" }),
    far: gre({ remote: "192.0.2.2", mtu: 1400, key: 7 }),
    marked: gre({ remote: "192.0.2.4", dscp: 46 }),
    asked: gre({ remote: "192.0.2.3", health: { target: "203.0.113.1" } }),
  },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "near" },
    { prefix: "203.0.113.64/26", tunnel: "far", priority: 7 },
    { prefix: "203.0.113.64/26", tunnel: "near" },
    { prefix: "203.0.113.128/25", tunnel: "near" },
    { prefix: "203.0.113.128/25", tunnel: "far" },
    { prefix: "203.0.114.0/24", tunnel: "marked" },
    { prefix: "2001:db8:a::/48", tunnel: "asked" },
    { prefix: "2001:db8:a:1::/64", tunnel: "far" },
  ],
  ${besides}
});`);

const RULES = `rules: [
  drop("finger", expr\`tcp.dstport == 79\`),
  count("seen", expr\`udp.srcport == 53\`),
  allow("web", expr\`tcp.dstport == 80\`),
]`;

const FAST = policyWith(`datapath: "xdp", firewall: { default: "allow", ${RULES} },`);

function judge(policy: Policy, text: string) {
  const parsed = parsePacket(text);
  if (parsed.kind === "problems") throw new Error(text);
  return evaluate(policy, parsed.bytes, newState(), 0n, parsed.surroundings);
}

const TCP = "tcp 192.0.2.7:40000 > 203.0.113.9:80 flags=A";

test.each([
  [TCP, "xdp", null],
  ["udp 192.0.2.7:40000 > 203.0.113.9:9", "xdp", null],
  ["tcp 192.0.2.7:40000 > 203.0.113.70:80 flags=A len=1400", "xdp", null],
  ["tcp [2001:db8:7::1]:40000 > [2001:db8:a:1::9]:80 flags=A", "xdp", null],
  ["tcp 192.0.2.7:40000 > 203.0.113.9:79 flags=A", "xdp", null],
  ["tcp 192.0.2.7:40000 > 203.0.113.9:80 flags=S", "namespace", "it opens a connection"],
  [`${TCP} ttl=1`, "namespace", null],
  ["udp 192.0.2.7:53 > 203.0.113.9:9", "namespace", "a rule on its way needs the namespace"],
  [
    "tcp 192.0.2.7:40000 > 203.0.113.70:80 flags=A len=1401",
    "namespace",
    "it is longer than the tunnel's MTU",
  ],
  ["tcp 192.0.2.7:40000 > 203.0.113.200:80 flags=A", "namespace", "several tunnels share its prefix"],
  ["tcp 0.1.2.3:40000 > 203.0.113.9:80 flags=A", "namespace", "an address of it is special"],
  [`${TCP} vlan=7`, "namespace", "it has a VLAN tag"],
  ["tcp 240.0.0.1:40000 > 203.0.113.9:80 flags=A", "namespace", "an address of it is special"],
  ["tcp [fd00::1]:40000 > [2001:db8:a:1::9]:80 flags=A", "namespace", "an address of it is special"],
  ["udp 192.0.2.7:40000 > 203.0.113.9:9 frag=0+", "namespace", "it has options, or is a fragment"],
  ["tcp 192.0.2.7:40000 > 203.0.114.9:80 flags=A", "namespace", "its tunnel is the namespace's"],
  ["tcp [2001:db8:7::1]:40000 > [2001:db8:a::9]:80 flags=A", "xdp", null],
  ["proto=17 2001:db8:7::1 > 2001:db8:a:1::9 id=7 frag=0", "namespace", "it has extension headers"],
] as const)("%s goes by %s", (text, where, slow) => {
  expect(judge(FAST, text)).toMatchObject({ where, slow });
});

test("the verdict and the rule are those of the namespace", () => {
  const plain = { ...FAST, datapath: "namespace" } as const;
  const fast = judge(FAST, TCP);
  expect(fast).toMatchObject({ verdict: "allow", rule: "web", routes: [{ tunnel: "near" }] });
  expect(judge(plain, TCP)).toEqual({ ...fast, where: "namespace" });
});

test("the program asks for the longest prefix first, and leaves shares to the namespace", () => {
  const [program] = emit(FAST);
  const text = program?.text ?? "";
  const [wayIn = "", wayBack = ""] = text.split("tunnel_from(const struct tg_origin *origin)");
  const chosenIn = (part: string) =>
    [...part.matchAll(/return (\w+); \/\* (.*) \*\//g)].map(([, place, name]) => [place, name]);
  expect(chosenIn(wayIn)).toEqual([
    ["1", '"far"'],
    ["3", '"asked"'],
    ["1", '"far"'],
    ["TG_NO_TUNNEL", "the namespace chooses"],
    ["0", '"near"'],
    ["TG_NO_TUNNEL", "the namespace chooses"],
  ]);
  expect(chosenIn(wayBack)).toEqual([
    ["0", '"near"'],
    ["1", '"far"'],
    ["3", '"asked"'],
  ]);
  expect(text).toContain('LICENSE[] SEC("license") = "GPL"');
  expect(text).toContain("return tg_forward(ctx, p, &counters, verdict.rule, tunnel_of(p));");
});

test.each(["auto", "namespace"] as const)("with %s nothing is sent from XDP", (datapath) => {
  const policy: Policy = { ...FAST, datapath };
  expect(judge(policy, TCP)).toMatchObject({ where: "namespace", slow: null });
  expect(emit(policy)[0]?.text).not.toContain("forward");
});

test("the compiler sends into as many tunnels as the map has room for, and the runtime fills in as many", () => {
  const header = readFileSync(join(import.meta.dirname, "../../bpf-templates/forward.h"), "utf8");
  expect(/#define TG_TUNNELS (\d+)/.exec(header)?.[1]).toBe(`${FAST_TUNNELS}`);
  expect(runtime.FAST_TUNNELS).toBe(FAST_TUNNELS);
});

const manifestOf = (policy: Policy) => manifest(policy, { file: "", text: "", modules: [] }, "test", []);

const without = (prefix: string): Policy => ({
  ...FAST,
  routes: FAST.routes.filter((route) => formatPrefix(route.prefix) !== prefix),
});
const sharing = FAST.routes.flatMap((route) =>
  route.tunnel === "asked" ? [route, { ...route, tunnel: "far" }] : [route],
);

const inReserve = FAST.routes.flatMap((route) =>
  route.tunnel === "asked"
    ? [
        { ...route, priority: route.priority + 1 },
        { ...route, tunnel: "far" },
      ]
    : [route],
);
const marking: Policy = {
  ...FAST,
  tunnels: FAST.tunnels.map((one) => (one.name === "asked" ? { ...one, dscp: 46 } : one)),
};
const unasked = ({ health: _, ...tunnel }: Policy["tunnels"][number]) => tunnel;

test.each([
  ["a route leads into such a tunnel alone", FAST, ["asked"]],
  ["none leads there", without("2001:db8:a::/48"), []],
  ["it shares all of its prefixes", { ...FAST, routes: sharing }, []],
  ["it is a reserve", { ...FAST, routes: inReserve }, []],
  ["its headers are the kernel's", marking, []],
  ["no router is asked", { ...FAST, tunnels: FAST.tunnels.map(unasked) }, undefined],
  ["all goes by the namespace", { ...FAST, datapath: "namespace" }, undefined],
] as const)(
  "a bundle names the tunnels that a runtime has to close to XDP while they are dead: %s",
  (_, policy, expected) => {
    expect(manifestOf(policy).sentWhileLive).toEqual(expected);
  },
);

const [near, ...others] = FAST.tunnels;
const nearLeading = (elsewhere: Partial<Policy["tunnels"][number]>): Policy => ({
  ...FAST,
  tunnels: near ? [{ ...near, ...elsewhere }, ...others] : [],
});

test.each([
  ["the same policy", FAST, true],
  ["a tunnel by another name", nearLeading({ name: "renamed" }), true],
  ["a tunnel with another MTU", nearLeading({ mtu: 1300 }), true],
  [
    "a tunnel that leads elsewhere by the same name",
    nearLeading({ remote: { family: 4, value: 0xc0000209n } }),
    false,
  ],
  ["a tunnel with another key", nearLeading({ key: 8 }), false],
  ["tunnels at other places", { ...FAST, tunnels: FAST.tunnels.toReversed() }, false],
  ["one tunnel less", { ...FAST, tunnels: FAST.tunnels.slice(0, 2) }, false],
  ["the namespace's datapath", { ...FAST, datapath: "namespace" }, false],
] as const)("what XDP knows of next hops, and %s", (_, after, goOn) => {
  expect(runtime.keepsHops(manifestOf(FAST), manifestOf(after))).toBe(goOn);
});
