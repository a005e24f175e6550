import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import type { CustomerStatus, TunnelStatus } from "../../runtime/status.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, NODE, owned } from "../support/acme-edge.js";
import { RunningDaemon } from "../support/daemon.js";
import { EdgeStore } from "../support/edge-store.js";
import { type Came, Capture, keepSending, outOfTurn, range, type Seen, ways } from "../support/flows.js";
import { number, rule } from "../support/ir.js";
import {
  addRouter,
  ROUTERS,
  type RouterName,
  setRouter,
  setSite,
  tunnelTo,
} from "../support/router-sites.js";

/**
 * Two tunnels whose routers are asked whether they live, one in reserve for the other, with a fast path: packets leave from XDP as
 * long as the first one lives, go by the namespace into the second one while it is dead, and nowhere while both are.
 */

const HEALTH: Health = {
  ...{ style: "request", target: parseAddress(FTP) ?? { family: 4 as const, value: 0n } },
  // With an answer that is late before the next probe goes, what a dead router still gets can be counted in probes.
  ...{ interval: 800, timeout: 400, up: 2, down: 2 },
};

function sending(overrides: Partial<Policy> = {}): Policy {
  const prefix = owned("203.0.113.0/24");
  const web = rule("web", "allow", number("tcp.dstport", 80));
  return acme({
    mitigate: [],
    prefixes: [prefix],
    datapath: "xdp",
    firewall: { default: "drop", rules: [web], stateful: false, offload: "auto" },
    tunnels: (["chicago", "dallas"] as const).map((name) => tunnelTo(name, { health: HEALTH })),
    routes: (["chicago", "dallas"] as const).map((tunnel, at) => ({
      ...{ ...prefix, tunnel, priority: 100 + at, weight: 1 },
    })),
    noLiveTunnel: "blackhole",
    ...overrides,
  });
}

const CLIENT = "192.0.2.7";

/** In the middle of their connections: what opens one goes by the namespace. */
const FLOWS = range(0, 50).map((flow) => packetBytes(`tcp 192.0.2.1:${1024 + flow} > ${FTP}:80 flags=A`));
const RATE = 2000;
/** In milliseconds. */
const ROUND = (FLOWS.length * 1000) / RATE;

let edge: AcmeEdge;
let daemon: RunningDaemon;
let store: EdgeStore;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await addRouter(edge, "dallas");
  for (const name of ["chicago", "dallas"] as const) setSite(edge, name);
  // As network cards do it: the far end takes frames from XDP.
  edge.server.run(["ethtool", "-K", "eth0", "gro", "on"], { namespace: "router" });
  const unfiltered = ["all", "up0", "up1"].map((one) => `net.ipv4.conf.${one}.rp_filter=0`);
  edge.server.run(["sysctl", "-q", "-w", ...unfiltered]);
  store = new EdgeStore(edge);
  await store.publish("first", sending());
  daemon = RunningDaemon.start(edge.server, store.options);
  for (const _ of ["chicago", "dallas"]) await daemon.says(/tunnel \w+ lives: its router answers/);
}, 60_000);

afterAll(async () => {
  await daemon?.end();
  await edge?.server.end();
});

async function customer(): Promise<CustomerStatus> {
  return (await edge.server.status()).customers[0];
}

async function tunnelsNow(): Promise<Readonly<Record<string, TunnelStatus>>> {
  const { drift, tunnels } = await customer();
  expect(drift).toEqual([]);
  return Object.fromEntries(tunnels.map((one) => [one.name, one]));
}

/** Until all goes by it. */
async function isNow(name: RouterName, life: "live" | "dead"): Promise<void> {
  await vi.waitFor(async () => expect((await tunnelsNow())[name]?.health?.life).toBe(life), {
    timeout: 15_000,
    interval: 200,
  });
}

/** Until somebody asks its router who has had no answer, and so has seen to the map before. */
async function isAskedAnew(name: RouterName): Promise<void> {
  await vi.waitFor(
    async () => {
      const probes = (await tunnelsNow())[name]?.health?.probes;
      expect(probes?.sent).toBeGreaterThan(0);
      expect(probes?.lastAnswer).toBe(null);
    },
    { timeout: 15_000, interval: 200 },
  );
}

interface Sent {
  /** That came to each router. */
  readonly came: Readonly<Record<RouterName, number>>;
  readonly allowed: number;
  /** That XDP sent into each tunnel itself. */
  readonly fromXdp: Readonly<Record<string, number>>;
}

const LEAST = 500;

const counted = ({ counters }: CustomerStatus) => counters.firewall["web"]?.packets ?? 0;

/** What becomes of so many packets, or more. */
async function send(): Promise<Sent> {
  const before = await customer();
  const capture = await Capture.start(edge);
  const stop = keepSending(edge, FLOWS, RATE);
  await vi.waitFor(async () => expect(counted(await customer()) - counted(before)).toBeGreaterThan(LEAST), {
    timeout: 10_000,
  });
  await stop();
  const seen = await capture.end();
  const after = await customer();
  const to = (name: RouterName) => seen.filter(({ router }) => router === ROUTERS[name]).length;
  const fast = ({ tunnels }: CustomerStatus, name: string) =>
    tunnels.find((one) => one.name === name)?.fromXdp.packets ?? 0;
  return {
    came: { chicago: to("chicago"), dallas: to("dallas"), erie: 0 },
    allowed: counted(after) - counted(before),
    fromXdp: Object.fromEntries(
      after.tunnels.map(({ name }) => [name, fast(after, name) - fast(before, name)]),
    ),
  };
}

/** Once a second, on each processor, a packet of each next hop's goes by the namespace. */
function expectFast({ came, allowed, fromXdp }: Sent): void {
  expect(came).toEqual({ chicago: allowed, dallas: 0, erie: 0 });
  expect(fromXdp["chicago"]).toBeGreaterThan(0.8 * allowed);
  expect(fromXdp["dallas"]).toBe(0);
}

function expectReserve({ came, allowed, fromXdp }: Sent): void {
  expect(came).toEqual({ chicago: 0, dallas: allowed, erie: 0 });
  expect(fromXdp).toEqual({ chicago: 0, dallas: 0 });
}

describe("while packets keep coming the router dies, and comes back", () => {
  let seen: readonly Seen[];
  let came: readonly Came[];
  let died: number;
  let back: number;
  let allowed: number;
  let byNamespace: TunnelStatus | undefined;

  beforeAll(async () => {
    expectFast(await send());
    const before = counted(await customer());
    const capture = await Capture.start(edge);
    const stop = keepSending(edge, FLOWS, RATE);
    await sleep(4 * ROUND);
    setRouter(edge, "chicago", "down");
    died = Date.now();
    await isNow("chicago", "dead");
    byNamespace = (await tunnelsNow())["chicago"];
    await sleep(4 * ROUND);
    back = Date.now();
    setRouter(edge, "chicago", "up");
    await isNow("chicago", "live");
    await sleep(4 * ROUND);
    await stop();
    ({ seen, came } = await capture.endWithAll());
    allowed = counted(await customer()) - before;
  }, 60_000);

  test("no packet is lost on the way to routers", () => {
    expect(seen.length).toBe(allowed);
    const flows = seen.map(({ flow }) => flow);
    // Nor before it is counted.
    expect(outOfTurn(flows, FLOWS.length)).toBeLessThan(FLOWS.length / 2);
  });

  test("each flow goes to the reserve, and back, once", () => {
    const ways = new Map<number, string[]>();
    for (const { flow, router } of seen) {
      const known = ways.get(flow) ?? [];
      ways.set(flow, known);
      if (known.at(-1) !== router) known.push(router);
    }
    const { chicago, dallas } = ROUTERS;
    expect([...ways.values()].filter((way) => way.join() !== [chicago, dallas, chicago].join())).toEqual([]);
  });

  test("once one probe more has come than had to be lost, the dead router gets no packet", () => {
    const own = came.filter(({ router, at }) => router === ROUTERS.chicago && at > died && at < back);
    const last = own.findLast(({ isProbe }) => !isProbe)?.at ?? 0;
    const probes = own.filter(({ isProbe, at }) => isProbe && at < last);
    console.info(`left after ${Math.round(last - died)} ms, and ${probes.length} probes`);
    expect(probes.length).toBeLessThanOrEqual(HEALTH.down + 1);
    expect(probes.length).toBeGreaterThanOrEqual(HEALTH.down - 1);
  });

  test("status says why nothing is sent into its tunnel from XDP, and that this is over", async () => {
    expect(byNamespace?.slow).toBe("its router is dead");
    expect((await tunnelsNow())["chicago"]?.slow).toBe(null);
  });

  test("packets leave from XDP again", async () => {
    expectFast(await send());
  }, 20_000);
});

/** The row of Chicago's tunnel, and where in it XDP looks for the MTU, the lower byte first. */
const row = () => `pinned ${pinned()} key 0 0 0 0`;
const pinned = () =>
  edge.server.run(["sh", "-c", "echo /run/tidegate/bpf/customers/acme/*/map_tunnels"]).trim();
const MTU_AT = 12;
const [OPEN, CLOSED] = ["c405", "0000"];

function rowNow(): readonly string[] {
  const shown = edge.server.run(["bpftool", "-j", "map", "lookup", ...row().split(" ")]);
  const { value } = JSON.parse(shown) as { readonly value: readonly string[] };
  return value.map((byte) => byte.replace("0x", ""));
}

const mtuNow = () =>
  rowNow()
    .slice(MTU_AT, MTU_AT + 2)
    .join("");

/** Somebody writes another MTU there. */
function setMtu(mtu: string): void {
  const value = rowNow()
    .with(MTU_AT, mtu.slice(0, 2))
    .with(MTU_AT + 1, mtu.slice(2));
  edge.server.run(["bpftool", "map", "update", ...row().split(" "), "value", "hex", ...value]);
}

test("what a router sends that answers no probes comes back by XDP as ever", async () => {
  const returned = async () => (await tunnelsNow())["chicago"]?.returnedByXdp.packets ?? 0;
  /** What XDP passes on of 50 datagrams that come out of the tunnel. */
  const more = async () => {
    const before = await returned();
    edge.script(
      "site",
      `const s = require("dgram").createSocket("udp4");
       let left = 50;
       const more = () => left-- ? s.send("x", 9, "${CLIENT}", more) : s.close();
       s.bind({ address: "${FTP}", port: 4000 }, more);`,
    );
    return (await returned()) - before;
  };
  // By the namespace, so that the next hop gets known.
  edge.sendUdp("site", FTP, CLIENT);
  expect(await more()).toBeGreaterThan(0);
  setSite(edge, "chicago", ["meta l4proto icmp drop"]);
  await isNow("chicago", "dead");
  expect(await more()).toBeGreaterThan(0);
  expectReserve(await send());
  setSite(edge, "chicago");
  await isNow("chicago", "live");
}, 60_000);

test("XDP is told of a death also where the map has lost its pin, which is back then", async () => {
  const { generation } = await customer();
  edge.server.run(["rm", pinned()]);
  setRouter(edge, "chicago", "down");
  await isNow("chicago", "dead");
  expect(mtuNow()).toBe(CLOSED);
  expectReserve(await send());
  setRouter(edge, "chicago", "up");
  await isNow("chicago", "live");
  expectFast(await send());
  // By the same program: nobody has mended it.
  expect((await customer()).generation).toBe(generation);
}, 60_000);

/** Somebody pins something else where the program's map of tunnels is. In one step, as who finds none there pins the map again. */
function replace(...made: readonly string[]): void {
  const pin = pinned();
  edge.server.run(made.map((word) => (word === "OTHER" ? `${pin}_other` : word)));
  edge.server.run(["mv", `${pin}_other`, pin]);
}

const replaceByMap = (type: string, key: number) => {
  const shape = ["type", type, "key", `${key}`, "value", "4", "entries", "1", "name", "other"];
  replace("bpftool", "map", "create", "OTHER", ...shape);
};

test("routes follow also where another map is in the place of the program's, and that is said", async () => {
  replaceByMap("array", 4);
  setRouter(edge, "chicago", "down");
  await daemon.says(
    /cannot follow its routers yet: TG9025 XDP cannot be told .* `acme` are dead: \S+ is another map/,
  );
  // They open connections, which is the namespace's.
  const flows = range(0, 20);
  expect(new Set((await ways(edge, flows)).values())).toEqual(new Set([ROUTERS.dallas]));
  setRouter(edge, "dallas", "down");
  await daemon.says(/acme: 203\.0\.113\.0\/24 is a black hole, /);
  setRouter(edge, "dallas", "up");
  await daemon.says(/acme: 203\.0\.113\.0\/24 is no black hole any more/);
  await edge.server.apply(edge.bundle("first-again", sending()), NODE);
  expectReserve(await send());
  setRouter(edge, "chicago", "up");
  await isNow("chicago", "live");
  expectFast(await send());
}, 60_000);

test("what is no map, or none that tells its rows, is drift in its place, which the same bundle mends", async () => {
  for (const other of ["a queue", "a program"]) {
    if (other === "a queue") replaceByMap("queue", 0);
    else replace("ln", join(dirname(pinned()), "prog_tidegate_customer"), "OTHER");
    expect([other, (await customer()).drift]).toEqual([other, ["XDP program"]]);
    const applied = await edge.server.apply(edge.bundle("first-again", sending()), NODE);
    expect(applied).toMatchObject({ changed: true, drift: ["XDP program"] });
    expect((await customer()).drift).toEqual([]);
  }
  expectFast(await send());
}, 60_000);

describe("while it is dead", () => {
  beforeAll(async () => {
    setRouter(edge, "chicago", "down");
    await isNow("chicago", "dead");
  }, 30_000);

  test("all goes by the namespace into the other tunnel, and the map says so", async () => {
    expect(mtuNow()).toBe(CLOSED);
    expectReserve(await send());
  }, 20_000);

  test("a change of the policy keeps it closed", async () => {
    const more = rule("dns", "allow", number("udp.dstport", 53));
    const { firewall } = sending();
    await store.publish("second", sending({ firewall: { ...firewall, rules: [...firewall.rules, more] } }));
    await daemon.says(/acme: revision 2 in force/);
    expectReserve(await send());
  }, 30_000);

  test("what was found out and is damaged is found out for XDP, too", async () => {
    edge.server.run(["sh", "-c", "echo garbage > /run/tidegate/customers/acme/health.json"]);
    setMtu(OPEN);
    await vi.waitFor(() => expect(mtuNow()).toBe(CLOSED), { timeout: 10_000 });
    await isNow("chicago", "dead");
    expectReserve(await send());
  }, 60_000);

  test("a daemon that ends keeps it closed; what is opened by hand is drift, which the next one mends", async () => {
    await daemon.end();
    expectReserve(await send());
    expect((await customer()).drift).toEqual([]);
    daemon = RunningDaemon.start(edge.server, [...store.options, "--look", "0.5"]);
    await isAskedAnew("chicago");
    setMtu(OPEN);
    await daemon.says(/acme: mended, there was missing: XDP program/);
    expect((await customer()).drift).toEqual([]);
    expect(mtuNow()).toBe(CLOSED);
    expectReserve(await send());
    expect(daemon.output).not.toContain("tunnel chicago is dead");
  }, 60_000);

  test("with the other one dead the prefix is a black hole for XDP, too", async () => {
    setRouter(edge, "dallas", "down");
    await daemon.says(/acme: 203\.0\.113\.0\/24 is a black hole/);
    expect(await send()).toMatchObject({
      came: { chicago: 0, dallas: 0 },
      fromXdp: { chicago: 0, dallas: 0 },
    });
    setRouter(edge, "chicago", "up");
    await isNow("chicago", "live");
    expectFast(await send());
  }, 60_000);
});

test("a live tunnel that somebody closes to XDP is drift", async () => {
  await daemon.end();
  setMtu(CLOSED);
  expect((await customer()).drift).toEqual(["XDP program"]);
  await edge.server.apply(edge.bundle("first-by-hand", sending()), NODE);
  expectFast(await send());
}, 30_000);
