import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CustomerStatus } from "../../runtime/status.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, NoLiveTunnel, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, endsOf, FTP, owned } from "../support/acme-edge.js";
import { RunningDaemon } from "../support/daemon.js";
import { EdgeStore } from "../support/edge-store.js";
import { Capture, keepSending, packetsOf, range, type Seen, ways } from "../support/flows.js";
import {
  addRouter,
  ROUTERS,
  type RouterName,
  setRouter,
  setSite,
  tunnelTo,
} from "../support/router-sites.js";

/** Two tunnels, three to one, whose routers are asked whether they live: one dies, and comes back. */

const FLOWS = 10_000;

/** The hosts behind the routers answer, as those have no addresses of their own inside. */
const HEALTH: Health = {
  ...{ style: "request", target: parseAddress(FTP) ?? { family: 4 as const, value: 0n } },
  ...{ interval: 100, timeout: 500, up: 3, down: 3 },
};

function sharing(overrides: Partial<Policy> = {}): Policy {
  const prefixes = [owned("203.0.113.0/24")];
  return acme({
    mitigate: [],
    prefixes,
    firewall: { default: "allow", rules: [], stateful: false, offload: "auto" },
    tunnels: (["chicago", "dallas"] as const).map((name) => tunnelTo(name, { health: HEALTH })),
    routes: prefixes.flatMap((prefix) => [
      { ...prefix, tunnel: "chicago", priority: 100, weight: 3 },
      { ...prefix, tunnel: "dallas", priority: 100, weight: 1 },
    ]),
    ...overrides,
  });
}

let edge: AcmeEdge;
let daemon: RunningDaemon;
let store: EdgeStore;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await addRouter(edge, "dallas");
  for (const name of ["chicago", "dallas"] as const) setSite(edge, name);
  store = new EdgeStore(edge);
  await store.publish("first", sharing());
  daemon = RunningDaemon.start(edge.server, store.options);
  await daemon.says(/acme: revision 1 in force/);
}, 60_000);

afterAll(async () => {
  await daemon?.end();
  await edge?.server.end();
});

function count(found: ReadonlyMap<number, string>, name: RouterName): number {
  return [...found.values()].filter((router) => router === ROUTERS[name]).length;
}

interface Shown {
  readonly name: string;
  readonly health: { readonly life: string; readonly probes: { readonly lastAnswer: string | null } | null };
}

async function healths(): Promise<Readonly<Record<string, Shown["health"]>>> {
  const { customers } = await edge.server.status();
  expect(customers[0].drift).toEqual([]);
  return Object.fromEntries((customers[0].tunnels as Shown[]).map(({ name, health }) => [name, health]));
}

test("flows of a router that dies move, all others stay, and it has its part when it is back", async () => {
  await daemon.says(/tunnel (chicago|dallas) lives/);
  await daemon.says(/tunnel (chicago|dallas) lives/);
  const all = range(0, FLOWS);
  const before = await ways(edge, all);
  expect(before.size).toBe(FLOWS);
  expect(count(before, "dallas") / FLOWS).toBeGreaterThan(0.25 * 0.95);
  expect(count(before, "dallas") / FLOWS).toBeLessThan(0.25 * 1.05);

  const died = performance.now();
  setRouter(edge, "chicago", "down");
  await daemon.says(/acme: tunnel chicago is dead: 3 probes in a row to 203\.0\.113\.100 without an answer/);
  // Three intervals and a timeout; the rest is the patience of a busy machine.
  expect(performance.now() - died).toBeGreaterThan(500);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("dead");
  const meanwhile = await ways(edge, all);
  expect(meanwhile.size).toBe(FLOWS);
  // So those of the other router are where they were, too.
  expect(count(meanwhile, "dallas")).toBe(FLOWS);

  setRouter(edge, "chicago", "up");
  await daemon.says(/acme: tunnel chicago lives again/);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("live");
  const next = await ways(edge, all);
  expect(all.filter((flow) => before.get(flow) !== next.get(flow))).toEqual([]);
}, 120_000);

test("a change, and a daemon that starts anew, keep a dead tunnel out", async () => {
  setRouter(edge, "dallas", "down");
  await daemon.says(/acme: tunnel dallas is dead/);
  const rest = sharing({ firewall: { ...sharing().firewall, rules: acme().firewall.rules } });
  await store.publish("second", rest);
  await daemon.says(/acme: revision 2 in force/);
  const some = range(0, 400);
  expect(count(await ways(edge, some), "dallas")).toBe(0);

  await daemon.end();
  expect(await healths()).toMatchObject({ dallas: { life: "dead" }, chicago: { life: "live" } });
  const restarted = Date.now();
  daemon = RunningDaemon.start(edge.server, store.options);
  await expect
    .poll(async () => Date.parse((await healths())["chicago"]?.probes?.lastAnswer ?? ""), { timeout: 10_000 })
    .toBeGreaterThan(restarted);
  expect((await healths())["dallas"]?.life).toBe("dead");
  expect(count(await ways(edge, some), "dallas")).toBe(0);
  // It was never taken for live meanwhile, and so did not die again.
  expect(daemon.output).not.toContain("tunnel dallas is dead");
}, 60_000);

/** Both families, and a longer prefix, which has the host of all flows, into Chicago's tunnel alone. */
function nested(noLiveTunnel: NoLiveTunnel): Policy {
  const { prefixes } = acme();
  const shared = prefixes.flatMap((prefix) =>
    (["chicago", "dallas"] as const).map((tunnel) => ({ ...prefix, tunnel, priority: 100, weight: 1 })),
  );
  const inner = { ...owned("203.0.113.64/26"), tunnel: "chicago", priority: 100, weight: 1 };
  return sharing({ prefixes, routes: [...shared, inner], noLiveTunnel });
}

/** What comes to routers, and what was allowed meanwhile, while packets of many flows of both families are sent. */
async function sent(): Promise<{ readonly seen: readonly Seen[]; readonly allowed: number }> {
  const before = await allowed();
  const capture = await Capture.start(edge);
  const flows = ([4, 6] as const).flatMap((family) => packetsOf(range(0, 100), family));
  const stop = keepSending(edge, flows, 2000);
  await expect.poll(allowed, { timeout: 10_000 }).toBeGreaterThan(before + 200);
  await stop();
  return { seen: await capture.end(), allowed: (await allowed()) - before };
}

async function allowed(): Promise<number> {
  const { customers } = await edge.server.status();
  return customers[0].counters.firewall.default.packets;
}

/** Packets of customers' that left their namespace, or the node, otherwise than into a tunnel, since this was called. */
function countLeaks(): () => string {
  const rules = (["prerouting", "postrouting"] as const).flatMap((hook) => {
    const way = hook === "prerouting" ? 'iifname "tg-acme"' : 'oifname != "tg-acme"';
    const own = ["ip daddr 203.0.113.0/24", "ip6 daddr 2001:db8:a::/48"];
    return [
      `add chain inet leaks ${hook} { type filter hook ${hook} priority -400; }`,
      ...own.map((destination) => `add rule inet leaks ${hook} ${way} ${destination} counter`),
    ];
  });
  edge.server.run(["nft", ["add table inet leaks", ...rules].join("; ")]);
  return () => edge.server.run(["nft", "list table inet leaks"]);
}

describe("while no tunnel lives", () => {
  const PREFIXES = ["203.0.113.0/24", "203.0.113.64/26", "2001:db8:a::/48"];

  async function shown() {
    const { customers } = await edge.server.status();
    expect(customers[0].drift).toEqual([]);
    return customers[0] as CustomerStatus;
  }

  test("its prefixes are black holes, out of which nothing comes", async () => {
    await store.publish("nested", nested("blackhole"));
    await daemon.says(/acme: revision 3 in force/);
    setRouter(edge, "chicago", "down");
    for (const prefix of PREFIXES) await daemon.says(new RegExp(`acme: ${prefix} is a black hole`));
    const leaks = countLeaks();
    const { seen } = await sent();
    expect(seen).toEqual([]);
    expect(leaks().match(/packets [^0]\d*/)).toBe(null);
    const { blackholes, tunnels } = await shown();
    expect(blackholes.map(({ prefix }) => prefix)).toEqual(PREFIXES);
    const since = tunnels
      .map(({ health }) => health?.since ?? "")
      .sort()
      .at(-1);
    for (const one of blackholes) expect(one).toMatchObject({ tunnels: ["chicago", "dallas"], since });
  }, 60_000);

  test("they are so in a new generation, too, unless this one uses dead tunnels", async () => {
    await store.publish("using", nested("use"));
    await daemon.says(/acme: revision 4 in force/);
    const { seen, allowed } = await sent();
    expect(seen.length / allowed).toBeGreaterThan(0.9);
    expect((await shown()).blackholes).toEqual([]);
    for (const prefix of PREFIXES) await daemon.says(new RegExp(`acme: ${prefix} is no black hole any more`));
    await store.publish("closing", nested("blackhole"));
    await daemon.says(/acme: revision 5 in force/);
    expect((await sent()).seen).toEqual([]);
    expect((await shown()).blackholes).toHaveLength(3);
    for (const prefix of PREFIXES) await daemon.says(new RegExp(`acme: ${prefix} is a black hole`));
  }, 60_000);

  test("one that is opened by hand is drift", async () => {
    const table = /lookup (100[01])/.exec(edge.server.run(["ip", "-n", "tg-acme", "rule"]))?.[1];
    const route = (way: string) =>
      edge.server.ip([`route replace ${way} metric 101 table ${table}`], "tg-acme");
    const { device } = endsOf("chicago", nested("blackhole"));
    route(`203.0.113.64/26 dev ${device}`);
    const { customers } = await edge.server.status();
    expect(customers[0].drift).toEqual(["routing table"]);
    route("blackhole 203.0.113.64/26");
    await shown();
  });

  test("they are told of again where what was found out is damaged", async () => {
    edge.server.run(["sh", "-c", "echo garbage > /run/tidegate/customers/acme/health.json"]);
    const closed = async () => (await edge.server.status()).customers[0].blackholes.length;
    await expect.poll(closed, { timeout: 10_000 }).toBe(3);
    await shown();
  });

  test("they end when one lives again: the longer prefix takes the shorter one's way until its own tunnel does", async () => {
    setRouter(edge, "dallas", "up");
    await daemon.says(/acme: tunnel dallas lives again/);
    for (const prefix of PREFIXES) await daemon.says(new RegExp(`acme: ${prefix} is no black hole any more`));
    const some = range(0, 400);
    expect(count(await ways(edge, some), "dallas")).toBe(400);
    expect(count(await ways(edge, some, 6), "dallas")).toBe(400);
    setRouter(edge, "chicago", "up");
    await daemon.says(/acme: tunnel chicago lives again/);
    await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("live");
    expect(count(await ways(edge, some), "chicago")).toBe(400);
  }, 60_000);
});

test("a customer that goes leaves nothing of its probes", async () => {
  await store.publish("third", sharing({ tunnels: [CHICAGO], routes: [] }));
  await daemon.says(/acme: revision 6 in force/);
  await edge.server.remove("acme");
  expect(edge.server.run(["ls", "/run/netns"])).not.toContain("tg-acme");
  const native = edge.server.run(["sh", "-c", "ls /run/tidegate/customers 2>/dev/null || true"]);
  expect(native.trim()).toBe("");
}, 30_000);
