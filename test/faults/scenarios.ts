import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { FTP } from "../support/acme-edge.js";
import { address, and, number, rule } from "../support/ir.js";
import { A, B, CLASS, type Class, TUNNELS } from "../support/two-policies.js";

/** What a run changes: from what, to what. */
export interface Scenario {
  readonly name: string;
  readonly from: Loaded;
  readonly to: Loaded;
  readonly operation: "apply" | "remove" | "rollback" | "uninstall" | "turn";
}

/** What a node runs, as far as scenarios differ in it. */
export interface Loaded {
  readonly acme: PolicyName | null;
  /** Of Acme before: what a rollback goes back to. */
  readonly earlier?: PolicyName;
  readonly globex: boolean;
  /** Is it described with one uplink less? */
  readonly small: boolean;
  /** Was Chicago's router found dead? */
  readonly dead: boolean;
}

/** What leaves by each tunnel, of all classes that are sent. */
type Passes = Readonly<Record<"chicago" | "dallas", readonly Class[]>>;

interface Judged {
  readonly policy: Policy;
  readonly passes: Passes;
  /** Do tunnels share packets? Then a flow takes any of those that let its class pass. */
  readonly shares?: true;
}

const NOTHING: Passes = { chicago: [], dallas: [] };
const PASSES_OF_A: Passes = { chicago: ["onlyA", "both"], dallas: [] };

/** Drops a class by tables, and its program is the same whatever the class. */
function listed(dropped: Class): Policy {
  const fillers = Array.from({ length: 40 }, (_, index) =>
    rule(`r${index}`, "drop", and(address("ip.src", "198.18.3.4"), number("tcp.dstport", index))),
  );
  const drops = rule("listed", "drop", number("udp.dstport", CLASS[dropped], CLASS.earlyInA));
  const { firewall } = A();
  const [, rest] = firewall.rules;
  const late = rule("late", "drop", number("udp.dstport", CLASS.earlyInB));
  return {
    ...A(),
    mitigate: [drops, ...fillers],
    firewall: { ...firewall, rules: rest ? [late, rest] : [] },
  };
}

/** As A, and both tunnels share its packets. */
function shared(chicago: number, dallas: number): Judged {
  const routes = A().routes.flatMap((route) => [
    { ...route, weight: chicago },
    { ...route, tunnel: "dallas", weight: dallas },
  ]);
  const passes = { chicago: PASSES_OF_A.chicago, dallas: PASSES_OF_A.chicago };
  return { policy: { ...A(), routes }, passes, shares: true };
}

/** As A, by tunnels of which the routers are asked: both share IPv4, and for IPv6 Dallas stands in for Chicago. */
function asked(chicago: number, dallas: number): Judged {
  const { policy, passes } = shared(chicago, dallas);
  const target = parseAddress(FTP);
  if (!target) throw new Error(`not an address: ${FTP}`);
  const health = { style: "request" as const, target, interval: 1000, timeout: 1000, up: 3, down: 3 };
  const routes = policy.routes.map((route) => {
    const standsIn = route.prefix.family === 6 && route.tunnel === "dallas";
    return route.prefix.family === 4 ? route : { ...route, weight: 1, priority: standsIn ? 200 : 100 };
  });
  const tunnels = TUNNELS.map((tunnel) => ({ ...tunnel, health }));
  return { policy: { ...policy, tunnels, routes }, passes, shares: true };
}

export const POLICIES = {
  a: { policy: A(), passes: PASSES_OF_A },
  b: { policy: B(true), passes: { chicago: [], dallas: ["onlyB", "both"] } },
  /** As A, through a tunnel that has to be made anew. */
  "other-tunnel": {
    policy: { ...A(), tunnels: TUNNELS.map((tunnel) => ({ ...tunnel, ttl: 17, mtu: 1400 })) },
    passes: PASSES_OF_A,
  },
  "list-1": { policy: listed("onlyB"), passes: PASSES_OF_A },
  "list-2": { policy: listed("onlyA"), passes: { chicago: ["onlyB", "both"], dallas: [] } },
  shared: shared(3, 1),
  "other-weights": shared(1, 2),
  asked: asked(3, 1),
  "asked-by-other-weights": asked(1, 2),
} as const satisfies Readonly<Record<string, Judged>>;
export type PolicyName = keyof typeof POLICIES;

export function policyOf(name: PolicyName): Judged {
  return POLICIES[name];
}

/** What may leave by a tunnel while a node is changed: what either lets pass. */
export function passes({ acme: name, dead }: Loaded): Passes {
  if (name === null) return NOTHING;
  const { passes } = POLICIES[name];
  return dead ? { ...passes, chicago: [] } : passes;
}

/** Do its tunnels say that their routers are to be asked? */
export function isAsked({ acme: name }: Pick<Loaded, "acme">): boolean {
  return name !== null && policyOf(name).policy.tunnels.some(({ health }) => health);
}

const loaded = (name: PolicyName | null, rest: Partial<Loaded> = {}): Loaded => ({
  ...{ acme: name, globex: true, small: false, dead: false },
  ...rest,
});

const change = (name: string, from: PolicyName, to: PolicyName): readonly Scenario[] => [
  { name, from: loaded(from), to: loaded(to), operation: "apply" },
  { name: `${name}, back`, from: loaded(to), to: loaded(from), operation: "apply" },
];

const ALONE = { globex: false };
const SMALL = { small: true };
const DEAD = { dead: true };

export const SCENARIOS: readonly Scenario[] = [
  { name: "the node's first bundle", from: loaded(null, ALONE), to: loaded("a", ALONE), operation: "apply" },
  { name: "a customer's first bundle", from: loaded(null), to: loaded("a"), operation: "apply" },
  ...change("a change", "a", "b"),
  ...change("a change of data", "list-1", "list-2"),
  ...change("a change of tunnels", "a", "other-tunnel"),
  ...change("a change to shared routes", "a", "shared"),
  ...change("a change of weights", "shared", "other-weights"),
  { name: "a rollback", from: loaded("b", { earlier: "a" }), to: loaded("a"), operation: "rollback" },
  { name: "a smaller node", from: loaded("a"), to: loaded("a", SMALL), operation: "apply" },
  { name: "a larger node", from: loaded("a", SMALL), to: loaded("a"), operation: "apply" },
  { name: "a router dies", from: loaded("asked"), to: loaded("asked", DEAD), operation: "turn" },
  { name: "a router lives again", from: loaded("asked", DEAD), to: loaded("asked"), operation: "turn" },
  {
    ...{ name: "a change while a router is dead", operation: "apply" },
    ...{ from: loaded("asked", DEAD), to: loaded("asked-by-other-weights", DEAD) },
  },
  { name: "a change to no router asked", from: loaded("asked", DEAD), to: loaded("a"), operation: "apply" },
  { name: "a removal", from: loaded("a"), to: loaded(null), operation: "remove" },
  { name: "a removal of shared routes", from: loaded("shared"), to: loaded(null), operation: "remove" },
  { name: "the last removal", from: loaded("a", ALONE), to: loaded(null, ALONE), operation: "remove" },
  { name: "an uninstall", from: loaded("a"), to: loaded(null, ALONE), operation: "uninstall" },
];
