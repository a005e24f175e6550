import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, endsOf, FTP, globex, NODE, owned } from "../support/acme-edge.js";
import { RunningDaemon } from "../support/daemon.js";
import { EdgeStore } from "../support/edge-store.js";
import { framed } from "../support/flows.js";
import { PROBE_ANSWERS } from "../support/probe-answers.js";
import { addSite } from "../support/router-sites.js";

/** Customers' packets stay in their own tunnels: two customers behind one router, and packets that no tunnel takes. */

const OPEN = { default: "allow", rules: [], stateful: false, offload: "off" } as const;

describe("two customers behind one router, told apart by the key alone", () => {
  /** The router's end of either tunnel has this address inside: what each of the two means by it is its own. */
  const INSIDE = "10.0.0.1";
  const HOST = "198.18.64.1";
  /** Answers that a busy machine is late with are no losses. */
  const THRESHOLDS = { interval: 100, timeout: 1000, up: 3, down: 3 } as const;

  let edge: AcmeEdge;
  let daemon: RunningDaemon;

  function asking(name: string, key: number): Tunnel {
    const target = parseAddress(INSIDE) ?? CHICAGO.remote;
    return { ...CHICAGO, name, key, health: { style: "request", target, ...THRESHOLDS } };
  }

  function policies(): readonly Policy[] {
    const prefixes = [owned("198.18.64.0/24")];
    const routes = prefixes.map((prefix) => ({ ...prefix, tunnel: "yard", priority: 100, weight: 1 }));
    const other = { ...globex(), mitigate: [], firewall: OPEN, prefixes, routes };
    return [
      acme({ mitigate: [], firewall: OPEN, tunnels: [asking("chicago", 7)] }),
      { ...other, tunnels: [asking("yard", 9)] },
    ];
  }

  beforeAll(async () => {
    edge = await AcmeEdge.start({ tunnel: { ...CHICAGO, key: 7 } });
    const hosts = [HOST, `${INSIDE}/32`];
    await addSite(edge, { site: "site-globex", peer: "peer-globex", local: "198.51.100.1", key: 9, hosts });
    edge.server.ip([`addr add ${INSIDE}/32 dev tunnel`], "site");
    const store = new EdgeStore(edge);
    for (const policy of policies()) await store.publish(policy.customer, policy);
    daemon = RunningDaemon.start(edge.server, store.options);
    for (const _ of policies()) await daemon.says(/tunnel \w+ lives: its router answers/);
  }, 60_000);

  afterAll(async () => {
    await daemon?.end();
    await edge?.server.end();
  });

  /** What a counter of packets that came out of tunnels says, by customer. */
  async function returned(
    counter: "return-passed" | "return-spoofed",
  ): Promise<Readonly<Record<string, number>>> {
    const { customers } = await edge.server.status();
    return Object.fromEntries(
      customers.map(({ name, counters }: { name: string; counters: never }) => {
        return [name, counters["other"][counter]["packets"]];
      }),
    );
  }

  /** Packets with sources that they may not have. */
  function spoofed(): Promise<Readonly<Record<string, number>>> {
    return returned("return-spoofed");
  }

  /** Puts packets into Acme's tunnel as they are, at the router's end. */
  function sendRaw(packets: readonly Uint8Array[]): void {
    const link = ["ip", "-j", "link", "show", "peer"];
    const [{ address = "" } = {}] = JSON.parse(edge.server.run(link, { namespace: "router" })) as [
      { address?: string },
    ];
    const wire = join(packageRoot(), "dist/examples/lab/wire");
    const [command, ...args] = edge.server.enter([wire, "tunnel", address], "site");
    execFileSync(command, args, { input: framed(packets) });
  }

  /** The source that the host of that address in the site sees of a datagram from the client, and what comes back of its answer. */
  async function exchange(site: string, host: string): Promise<string> {
    const script = `const s = require("dgram").createSocket("udp4");
      s.on("message", (m, from) => s.send("from ${site}", from.port, from.address));
      s.bind(53, "${host}", () => console.log("up"));`;
    const answering = await edge.start(site, script);
    const answer = edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       s.on("message", (m, from) => { console.log(m + " at " + from.address); process.exit(); });
       s.bind({ address: "192.0.2.7" }, () => s.send("x", 53, "${host}"));
       setTimeout(() => { console.log("silence"); process.exit(); }, 5000);`,
    );
    await answering.end();
    return answer.trim();
  }

  test("packets of each go to its own site, and come back from there", async () => {
    expect(await exchange("site", FTP)).toBe(`from site at ${FTP}`);
    expect(await exchange("site-globex", HOST)).toBe(`from site-globex at ${HOST}`);
  });

  test("what comes out of a tunnel may not have the other's addresses, nor be other than an answer from a private one", async () => {
    const before = await spoofed();
    edge.server.ip([`addr add ${HOST}/32 dev lo`], "site");
    edge.sendUdp("site", HOST, "192.0.2.7");
    edge.sendUdp("site", INSIDE, "192.0.2.7");
    edge.server.ip([`addr add ${FTP}/32 dev lo`], "site-globex");
    edge.sendUdp("site-globex", FTP, "192.0.2.7");
    const after = await spoofed();
    const added = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect([added("acme"), added("globex")]).toEqual([2, 1]);
  });

  test("of what has a private target's address only what can answer a probe comes out", async () => {
    const rows = PROBE_ANSWERS.filter(([, packet]) => (packet[0] ?? 0) >> 4 === 4);
    const refused = rows.filter(([, , verdict]) => verdict === "spoofed");
    const [before, passedBefore] = [await spoofed(), await returned("return-passed")];
    sendRaw(rows.map(([, packet]) => packet));
    const added = async () => ((await spoofed())["acme"] ?? 0) - (before["acme"] ?? 0);
    await expect.poll(added, { timeout: 10_000 }).toBe(refused.length);
    // Answers to probes come meanwhile, too.
    const passed = ((await returned("return-passed"))["acme"] ?? 0) - (passedBefore["acme"] ?? 0);
    expect(passed).toBeGreaterThanOrEqual(rows.length - refused.length);
  });

  test("both ask the same private address, each the host behind its own tunnel", async () => {
    const lives = async () => {
      const { customers } = await edge.server.status();
      expect(customers.flatMap(({ drift }: { drift: readonly string[] }) => drift)).toEqual([]);
      return customers.map(
        ({ tunnels }: { tunnels: { health: { life: string } }[] }) => tunnels[0]?.health.life,
      );
    };
    const patient = { timeout: 20_000, interval: 200 };
    await expect.poll(lives, patient).toEqual(["live", "live"]);
    edge.server.ip([`addr del ${INSIDE}/32 dev tunnel`], "site-globex");
    await expect.poll(lives, patient).toEqual(["live", "dead"]);
  });
});

describe("a packet that no tunnel takes", () => {
  /** As Acme's, and only the lower half of each prefix has a route. */
  const LOWER = ["203.0.113.0/25", "2001:db8:a::/49"].map(owned);
  const COVERED = ["203.0.113.9", "2001:db8:a::9"];
  const BARE = ["203.0.113.200", "2001:db8:a:8000::9"];

  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start();
    // Where the main table would lead whatever leaked: to the router, who counts what comes.
    edge.server.ip([
      "addr add 2001:db8:2::254/64 dev up1 nodad",
      "route add default via 198.51.100.1 dev up1",
      "route add ::/0 via 2001:db8:2::1 dev up1",
      "neigh replace 2001:db8:2::1 lladdr 02:00:00:00:00:99 dev up1",
    ]);
    const counted = ["ip daddr 203.0.113.0/24", "ip6 daddr 2001:db8:a::/48"];
    const rules = counted.map((what) => `add rule netdev t c ${what} counter`);
    const chain =
      "add table netdev t; add chain netdev t c { type filter hook ingress device eth0 priority 0; }";
    edge.server.run(["nft", [chain, ...rules].join("; ")], { namespace: "router" });
    const inside = "add table inet t; add chain inet t c { type filter hook prerouting priority 0; }";
    edge.server.run(["nft", `${inside}; add rule inet t c udp dport 53 counter drop`], { namespace: "site" });
    const routes = LOWER.map((prefix) => ({ ...prefix, tunnel: "chicago", priority: 100, weight: 1 }));
    await edge.server.apply(edge.bundle("half", acme({ mitigate: [], firewall: OPEN, routes })), NODE);
  }, 60_000);

  afterAll(() => edge?.server.end());

  /** What came to the router past all tunnels, what came out of them, and what came back out of the customer's namespace. */
  function out(): { readonly bare: number; readonly tunnelled: number; readonly back: number } {
    const counts = (namespace: string) => {
      const text = edge.server.run(["nft", "list", "ruleset"], { namespace });
      return [...text.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets));
    };
    const [bare4 = 0, bare6 = 0] = counts("router");
    const [tunnelled = 0] = counts("site");
    const [link] = JSON.parse(edge.server.run(["ip", "-s", "-j", "link", "show", "tg-acme"]));
    return { bare: bare4 + bare6, tunnelled, back: link.stats64.rx.packets };
  }

  function during(work: () => void): ReturnType<typeof out> {
    const before = out();
    work();
    const after = out();
    return {
      bare: after.bare - before.bare,
      tunnelled: after.tunnelled - before.tunnelled,
      back: after.back - before.back,
    };
  }

  /** Three datagrams to each from a namespace, whose own routes lead to Acme's prefixes by the edge. */
  function send(namespace: string, hosts: readonly string[]): void {
    const to = hosts.map((host) => [host.includes(":") ? "udp6" : "udp4", host]);
    edge.script(
      namespace,
      `for (const [family, host] of ${JSON.stringify(to)}) {
         const s = require("dgram").createSocket(family);
         s.on("error", () => {});
         let left = 3;
         const next = () => left-- > 0 ? s.send("x", 53, host, () => setTimeout(next, 20)) : s.close();
         next();
       }`,
    );
  }

  const NONE = { bare: 0, tunnelled: 0, back: 0 };

  test("one to a prefix with a route leaves by the tunnel, and one to a prefix without a route ends there", () => {
    expect(during(() => send("client", COVERED))).toEqual({ ...NONE, tunnelled: 6 });
    expect(during(() => send("client", BARE))).toEqual(NONE);
  });

  test("from within the customer's own namespace each takes the same way, once", () => {
    expect(during(() => send("tg-acme", COVERED))).toEqual({ ...NONE, tunnelled: 6, back: 6 });
    expect(during(() => send("tg-acme", BARE))).toEqual({ ...NONE, back: 6 });
  });

  test("while its tunnel's device is gone it ends there, too, and so does all of a policy without tunnels", async () => {
    edge.server.ip([`link del dev ${endsOf("chicago").device}`], "tg-acme");
    expect(during(() => send("client", COVERED))).toEqual(NONE);
    const bare = acme({ mitigate: [], firewall: OPEN, tunnels: [], routes: [] });
    await edge.server.apply(edge.bundle("bare", bare), NODE);
    expect(during(() => send("client", COVERED))).toEqual(NONE);
    expect(during(() => send("tg-acme", COVERED))).toEqual({ ...NONE, back: 6 });
  });
});
