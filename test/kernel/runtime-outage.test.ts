import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, FTP6 } from "../support/acme-edge.js";
import { RunningDaemon } from "../support/daemon.js";
import { EdgeStore } from "../support/edge-store.js";
import { type Came, Capture, keepSending, outOfTurn, packetsOf, range, type Seen } from "../support/flows.js";
import { number, or, rule } from "../support/ir.js";
import {
  addRouter,
  ROUTER_NAMES,
  ROUTERS,
  type RouterName,
  setRouter,
  setSite,
  siteOf,
  tunnelTo,
} from "../support/router-sites.js";

/**
 * Three tunnels share the packets of both families, and each router is asked in another way. While packets of many flows keep
 * coming one router after the other dies: its flows move, at once, and nobody else's do.
 */

/** Where each second probe is lost, one late answer makes three losses in a row. */
const THRESHOLDS = { interval: 100, timeout: 500, up: 3, down: 4 } as const;

/** With an answer that is late before the next probe goes, what a dead router still gets can be counted in probes. */
const SLOW = { interval: 800, timeout: 400, up: 2, down: 2 } as const;

/** Nobody has this address: a router that gets a packet from there has only to pass it on. */
const NOBODY = "203.0.113.1";

const ASKED: Readonly<Record<RouterName, Pick<Health, "style"> & { readonly target: string }>> = {
  chicago: { style: "request", target: FTP },
  dallas: { style: "request", target: FTP6 },
  erie: { style: "reply", target: NOBODY },
};

function healthOf(name: RouterName): Health {
  const { style, target } = ASKED[name];
  const thresholds = name === "dallas" ? SLOW : THRESHOLDS;
  return { ...thresholds, style, target: parseAddress(target) ?? { family: 4, value: 0n } };
}

/** Whatever ICMP and GRE is to Acme's hosts is dropped, early and late: probes and tunnels are none of it. */
function sharing(): Policy {
  const others = or(number("ip.proto", 1), number("ip.proto", 58), number("ip.proto", 47));
  const web = rule("web", "allow", number("tcp.dstport", 80));
  const weights = { chicago: 2, dallas: 1, erie: 1 } as const;
  return acme({
    mitigate: [rule("early", "drop", others)],
    firewall: {
      default: "drop",
      rules: [rule("late", "drop", others), web],
      stateful: false,
      offload: "off",
    },
    tunnels: ROUTER_NAMES.map((name) => tunnelTo(name, { health: healthOf(name) })),
    routes: acme().prefixes.flatMap((prefix) =>
      ROUTER_NAMES.map((tunnel) => ({ ...prefix, tunnel, priority: 100, weight: weights[tunnel] })),
    ),
  });
}

const FLOWS = range(0, 200);
const RATE = 4000;

let edge: AcmeEdge;
let daemon: RunningDaemon;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  for (const name of ["dallas", "erie"] as const) await addRouter(edge, name);
  for (const name of ROUTER_NAMES) setSite(edge, name);
  // Erie's host passes on what is not its own, by the way by which it came.
  const forwarding = ["ip_forward=1", "conf.all.rp_filter=0", "conf.tunnel.rp_filter=0"];
  edge.server.run(["sysctl", "-q", "-w", ...forwarding.map((one) => `net.ipv4.${one}`)], {
    namespace: "site-erie",
  });
  const store = new EdgeStore(edge);
  await store.publish("sharing", sharing());
  // To hosts of IPv6 this server has no way of its own, and so no address that the kernel would choose.
  const own = ["--probe-from", "2001:db8:1::254"];
  daemon = RunningDaemon.start(edge.server, [...store.options, ...own]);
  for (const _ of ROUTER_NAMES) await daemon.says(/tunnel \w+ lives: its router answers/);
}, 60_000);

afterAll(async () => {
  await daemon?.end();
  await edge?.server.end();
});

interface Journey {
  readonly key: string;
  /** The routers that its packets came to, each once, one after the other. */
  readonly ways: readonly string[];
}

/** By flow. */
function journeys(seen: readonly Seen[]): readonly Journey[] {
  const flows = new Map<string, string[]>();
  for (const { family, flow, router } of seen) {
    const key = `${family} ${flow}`;
    const ways = flows.get(key) ?? [];
    flows.set(key, ways);
    if (ways.at(-1) !== router) ways.push(router);
  }
  return [...flows].map(([key, ways]) => ({ key, ways }));
}

async function lives(): Promise<Readonly<Record<string, { readonly life: string }>>> {
  const { customers } = await edge.server.status();
  expect(customers[0].drift).toEqual([]);
  const tunnels = customers[0].tunnels as { name: string; health: never }[];
  return Object.fromEntries(tunnels.map(({ name, health }) => [name, health]));
}

async function allowedSoFar(): Promise<number> {
  const { customers } = await edge.server.status();
  return customers[0].counters.firewall.web.packets;
}

interface Outage {
  /** From before until it lived again. */
  readonly seen: readonly Seen[];
  /** That the firewall allowed meanwhile. */
  readonly allowed: number;
  /** What came to the router itself from when it was dead until it came back. */
  readonly meanwhile: readonly Came[];
  readonly died: number;
}

/** A router dies, and is back, with packets of all flows on; gives what came to routers. */
async function outage(name: RouterName): Promise<Outage> {
  const before = await allowedSoFar();
  const capture = await Capture.start(edge);
  const packets = ([4, 6] as const).flatMap((family) => packetsOf(FLOWS, family));
  const stop = keepSending(edge, packets, RATE);
  await new Promise((resolve) => setTimeout(resolve, (2 * packets.length * 1000) / RATE));
  setRouter(edge, name, "down");
  const died = Date.now();
  await daemon.says(new RegExp(`tunnel ${name} is dead`));
  // Said before it is done.
  await vi.waitFor(async () => expect((await lives())[name]?.life).toBe("dead"), { timeout: 5000 });
  const back = Date.now();
  setRouter(edge, name, "up");
  await daemon.says(new RegExp(`tunnel ${name} lives again`));
  await vi.waitFor(async () => expect((await lives())[name]?.life).toBe("live"), { timeout: 5000 });
  // It has its part again: each flow has still packets to come.
  await new Promise((resolve) => setTimeout(resolve, (2 * packets.length * 1000) / RATE));
  await stop();
  const { seen, came } = await capture.endWithAll();
  const isOwn = ({ router, at }: Came) => router === ROUTERS[name] && at > died && at < back;
  const allowed = (await allowedSoFar()) - before;
  return { seen, allowed, died, meanwhile: came.filter(isOwn) };
}

describe.each(ROUTER_NAMES)("%s dies", (name) => {
  let all: readonly Journey[];
  let seen: readonly Seen[];
  let allowed: number;
  let meanwhile: readonly Came[];
  let died: number;

  beforeAll(async () => {
    const found = await outage(name);
    ({ seen, allowed, meanwhile, died } = found);
    all = journeys(seen);
  }, 60_000);

  const first = ({ ways }: Journey) => ways[0];

  test("and no packet is lost on the way to routers, whether they live or not", () => {
    expect(all.length).toBe(2 * FLOWS.length);
    expect(seen.length).toBe(allowed);
    const flows = seen.map(({ family, flow }) => (family === 4 ? flow : FLOWS.length + flow));
    // Nor before it is counted.
    expect(outOfTurn(flows, 2 * FLOWS.length)).toBeLessThan(FLOWS.length);
  });

  // With the others' thresholds answers may take longer than the next probe, so that probes are no measure.
  if (name === "dallas")
    test("and once one probe more has come than had to be lost, it gets no packet", () => {
      const last = meanwhile.findLast(({ isProbe }) => !isProbe)?.at ?? 0;
      const probes = meanwhile.filter(({ isProbe, at }) => isProbe && at < last);
      console.info(`left after ${Math.round(last - died)} ms, and ${probes.length} probes`);
      // The next one may have gone before all is changed; a lost one may have gone before the router died.
      expect(probes.length).toBeLessThanOrEqual(SLOW.down + 1);
      expect(probes.length).toBeGreaterThanOrEqual(SLOW.down - 1);
    });

  test("flows of the others keep theirs, while it is dead and when it is back", () => {
    const others = all.filter((journey) => first(journey) !== ROUTERS[name]);
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(({ ways }) => ways.length > 1)).toEqual([]);
  });

  test("its flows go to the others, and stay there as long as they do not rest", () => {
    const moved = all.filter((journey) => first(journey) === ROUTERS[name]);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.filter(({ ways }) => ways.length !== 2)).toEqual([]);
  });
});

/** Probes that have come to Chicago since its rules were set. */
function asked(): number {
  const text = edge.server.run(["nft", "list", "table", "inet", "t"], { namespace: siteOf("chicago") });
  return Number(/counter packets (\d+)/.exec(text)?.[1]);
}

test("a router that answers each second probe stays what it was, alive or dead", async () => {
  const stays = async (life: string) => {
    const said = daemon.output.length;
    setSite(edge, "chicago", ["meta l4proto icmp counter", "meta l4proto icmp numgen inc mod 2 == 0 drop"]);
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(3 * THRESHOLDS.down);
    expect(daemon.output.slice(said)).not.toContain("tunnel chicago");
    expect((await lives())["chicago"]?.life).toBe(life);
  };
  await stays("live");
  setSite(edge, "chicago", ["meta l4proto icmp drop"]);
  await daemon.says(/tunnel chicago is dead/);
  await stays("dead");
  setSite(edge, "chicago");
  await daemon.says(/tunnel chicago lives again/);
}, 60_000);
