import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, NODE, owned } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { range, ways } from "../support/flows.js";
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
let store: string;
let args: readonly string[];

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await addRouter(edge, "dallas");
  for (const name of ["chicago", "dallas"] as const) setSite(edge, name);
  store = join(edge.server.folder, "store");
  mkdirSync(store);
  await publishBundle(dirStore(store), edge.bundle("first", sharing()));
  const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  args = ["--node", node, "--store", `dir:${store}`, "--metrics", "off"];
  daemon = RunningDaemon.start(edge.server, args);
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

test("a change, and a daemon that starts anew, keep a dead tunnel out; with all dead all are used", async () => {
  setRouter(edge, "dallas", "down");
  await daemon.says(/acme: tunnel dallas is dead/);
  const rest = sharing({ firewall: { ...sharing().firewall, rules: acme().firewall.rules } });
  await publishBundle(dirStore(store), edge.bundle("second", rest));
  await daemon.says(/acme: revision 2 in force/);
  const some = range(0, 400);
  expect(count(await ways(edge, some), "dallas")).toBe(0);

  await daemon.end();
  expect(await healths()).toMatchObject({ dallas: { life: "dead" }, chicago: { life: "live" } });
  daemon = RunningDaemon.start(edge.server, args);
  await expect
    .poll(async () => (await healths())["chicago"]?.probes?.lastAnswer ?? null, { timeout: 10_000 })
    .not.toBe(null);
  expect((await healths())["dallas"]?.life).toBe("dead");
  expect(count(await ways(edge, some), "dallas")).toBe(0);

  setRouter(edge, "chicago", "down");
  await daemon.says(/acme: tunnel chicago is dead/);
  await expect.poll(async () => (await healths())["chicago"]?.life, { timeout: 5000 }).toBe("dead");
  // Routers that do not answer may live all the same.
  expect((await ways(edge, some)).size).toBe(400);
}, 60_000);

test("a customer that goes leaves nothing of its probes", async () => {
  await publishBundle(dirStore(store), edge.bundle("third", sharing({ tunnels: [CHICAGO], routes: [] })));
  await daemon.says(/acme: revision 3 in force/);
  await edge.server.remove("acme");
  expect(edge.server.run(["ls", "/run/netns"])).not.toContain("tg-acme");
  const native = edge.server.run(["sh", "-c", "ls /run/tidegate/customers 2>/dev/null || true"]);
  expect(native.trim()).toBe("");
}, 30_000);
