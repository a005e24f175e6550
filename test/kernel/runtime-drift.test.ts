import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import { askedBy } from "../../runtime/health/lives.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { AcmeEdge, acme, CHICAGO, endsOf, FTP, globex, NODE, tamper } from "../support/acme-edge.js";
import { address, and, number, rule } from "../support/ir.js";

/** The table of docs/runtime.md, "Drift": what somebody does to a node by hand, and what `status` calls it. */

let edge: AcmeEdge;
let bundle: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  bundle = edge.bundle("acme", acme());
  await edge.server.apply(edge.bundle("globex", globex()), NODE);
  await edge.server.apply(bundle, NODE);
});

afterAll(() => edge?.server.end());

async function drift(): Promise<readonly string[]> {
  const { node, customers } = await edge.server.status();
  return [...node.drift, ...customers.flatMap((one: { readonly drift: readonly string[] }) => one.drift)];
}

interface Damage {
  /** As drift says it. */
  readonly found: string;
  readonly command: string;
  /** Done in the customer's namespace. */
  readonly inside?: boolean;
  /** Only with GRE in BPF. */
  readonly ebpf?: boolean;
}

const ROOT = "/run/tidegate/bpf/root";
const ENDPOINTS = "/run/tidegate/bpf/gre/map_gre_endpoints";
const LOCALS = "/run/tidegate/bpf/gre/map_gre_locals";
/** Acme is the second customer. Both of its places for a program, as keys of a map. */
const PLACES = ["1 0 0 0", "1 16 0 0"];

/** Each row is damage that hides no other of the row: all of it is found at once, and mended by one change. */
const ROUNDS: readonly (readonly [name: string, damage: readonly Damage[]])[] = [
  [
    "things that are gone",
    [
      { found: "root program on up0", command: `rm ${ROOT}/link_up0` },
      { found: "marking table", command: "nft delete table inet tidegate" },
      { found: "anycast address 198.18.0.1", command: "ip addr del 198.18.0.1/32 dev lo" },
      { found: "clsact on up1", command: "tc qdisc del dev up1 clsact", ebpf: true },
      { found: "gre_decap on up0", command: "tc filter del dev up0 ingress", ebpf: true },
      {
        found: "tunnels' end 198.18.0.1",
        command: `bpftool map delete pinned ${LOCALS} key hex 00 00 00 00 00 00 00 00 00 00 ff ff c6 12 00 01`,
        ebpf: true,
      },
      { found: "tunnel chicago", command: `ip link del ${endsOf("chicago").device}`, inside: true },
      { found: "firewall", command: "nft delete table inet tidegate", inside: true },
      {
        found: "routing table",
        command: "for t in 1000 1001; do ip route flush table $t 2>/dev/null || true; done",
        inside: true,
      },
      {
        found: "XDP program",
        command: PLACES.map(
          (key) => `bpftool map delete pinned ${ROOT}/map_programs key ${key} 2>/dev/null || true`,
        ).join("\n"),
      },
      {
        found: "dispatch of 203.0.113.0/24",
        command: `bpftool map delete pinned ${ROOT}/map_customers_4 key 24 0 0 0 203 0 113 0`,
      },
      { found: "route of 203.0.113.0/24", command: "ip route del 203.0.113.0/24 table 21575" },
    ],
  ],
  [
    "things that are not what they were",
    [
      { found: "sysctl net.ipv4.ip_forward", command: "sysctl -q -w net.ipv4.ip_forward=0" },
      { found: "marking table", command: "nft flush chain inet tidegate mark_customers" },
      {
        found: "tunnel chicago",
        command: `tc filter del dev ${endsOf("chicago").peer} ingress`,
        ebpf: true,
      },
      {
        found: "routing table",
        command: "for t in 1000 1001; do ip rule del priority $t || true; done",
        inside: true,
      },
      {
        found: "XDP program",
        command: `bpftool map update pinned ${ROOT}/map_stamps key 1 0 0 0 value 0 0 0 0`,
      },
      {
        found: "dispatch of 2001:db8:a::/48",
        command: `bpftool map update pinned ${ROOT}/map_customers_6 key 48 0 0 0 32 1 13 184 0 10 0 0 0 0 0 0 0 0 0 0 value 0 0 0 0`,
      },
      {
        found: "stored bundle",
        command: "for f in /run/tidegate/customers/acme/bundle-*/nft/acme.nft; do echo >> $f; done",
      },
    ],
  ],
  [
    "marks of prefixes, and the program at the link",
    [
      {
        found: "marks of customers' prefixes",
        command: "nft delete element inet tidegate customers_4 '{ 203.0.113.0/24 }'",
      },
      { found: "hop program on tg-acme", command: "tc filter del dev tg-acme egress" },
      { found: "root program on tg-acme", command: `rm ${ROOT}/link_tg-acme` },
    ],
  ],
  [
    "who fills in checksums of what goes into a tunnel",
    [
      {
        found: "tunnel chicago",
        command: `ethtool -K ${endsOf("chicago").device} tx on`,
        inside: true,
        ebpf: true,
      },
    ],
  ],
  [
    "maps of tunnels from a build that had others",
    [
      {
        found: "GRE program",
        command: `rm ${ENDPOINTS}; bpftool map create ${ENDPOINTS} type hash key 16 value 16 entries 9 name gre_endpoints flags 1`,
        ebpf: true,
      },
      { found: "tunnel chicago", command: "true", ebpf: true },
    ],
  ],
  [
    "a map of tunnels that is gone",
    [
      { found: "GRE program", command: `rm ${ENDPOINTS}`, ebpf: true },
      { found: "tunnel chicago", command: "true", ebpf: true },
    ],
  ],
  [
    "a program of tunnels that is gone",
    [{ found: "GRE program", command: "rm /run/tidegate/bpf/gre/prog_gre_encap", ebpf: true }],
  ],
  [
    "a device of another kind in a tunnel's place",
    [
      {
        found: "tunnel chicago",
        command: `ip link del ${endsOf("chicago").device}; ip link add ${endsOf("chicago").device} type bridge`,
        inside: true,
      },
    ],
  ],
  ["its link", [{ found: "link tg-acme", command: "ip link del tg-acme" }]],
  ["its namespace", [{ found: "namespace tg-acme", command: "ip netns del tg-acme" }]],
];

describe("drift is found, and mended by applying again", () => {
  test.each(ROUNDS)("%s", async (_name, damage) => {
    const ebpf = (await chooseGre()) === "ebpf";
    const done = damage.filter((one) => ebpf || !one.ebpf);
    for (const { command, inside = false } of done)
      edge.server.run(["sh", "-ec", command], inside ? { namespace: "tg-acme" } : {});
    const expected = done.map(({ found }) => found);
    expect(await drift()).toEqual(expect.arrayContaining(expected));
    const applied = await edge.server.apply(bundle, NODE);
    expect(applied["drift"]).toEqual(expect.arrayContaining(expected));
    expect(await drift()).toEqual([]);
  });
});

/** Whoever took these down to make them anew would lead every customer's packets past their firewalls meanwhile. */
test("what marks packets and leads them is mended where it stands, also by a change that fails", async () => {
  const broken = tamper(edge.bundle("broken", acme({ mitigate: [] })), "nft/acme.nft", "nonsense\n");
  edge.server.run(["nft", "insert rule inet tidegate mark_customers counter"]);
  edge.server.run(["ip", "route", "del", "blackhole", "default", "table", "21575"]);
  const damaged = ["IPv4 policy routing", "marking table"];
  expect(await drift()).toEqual(damaged);
  await expect(edge.server.apply(broken, NODE)).rejects.toThrow(/^load the firewall failed: /);
  expect(await drift()).toEqual([]);
  expect(edge.server.run(["nft", "list", "set", "inet", "tidegate", "customers_4"])).toContain(
    "198.18.64.0/24, 203.0.113.0/24",
  );
});

/** It comes with one customer's change; the tunnels of all others get it where they stand, before the old one goes. */
test("another anycast address: each tunnel has it after one customer's change", async () => {
  const [now, then] = ["198.18.0.2", "198.18.0.1"];
  const other = edge.bundle("globex", globex());
  const entries = (map: string) =>
    JSON.parse(edge.server.run(["bpftool", "-j", "map", "dump", "pinned", map]));
  const ebpf = (await chooseGre()) === "ebpf";
  const device = await deviceIndex();
  for (const [address, before] of [
    [now, then],
    [then, now],
  ] as const) {
    const node = { ...NODE, anycast: NODE.anycast.map((one) => (one === before ? address : one)) };
    await edge.server.apply(other, node);
    expect(await drift()).toEqual([]);
    expect(await outerSource()).toBe(address);
    if (ebpf) expect(entries(ENDPOINTS)).toHaveLength(1);
    if (ebpf) expect(entries(LOCALS)).toHaveLength(node.anycast.length);
  }
  expect(await deviceIndex()).toBe(device);
});

/**
 * As a new build does on a node that an old one has set up. The connections are Acme's; the change is Globex's. Devices of the kernel
 * have no program: there nothing is damaged, and nothing may be lost either.
 */
test("programs of tunnels that are loaded anew carry all customers' tunnels from their first packet", async () => {
  const ebpf = (await chooseGre()) === "ebpf";
  const other = edge.bundle("globex", globex());
  expect(edge.connect(21)).toBe("refused");
  const device = await deviceIndex();
  const connecting = await edge.start("client", CONNECTS);
  const another = `bpftool map create ${ENDPOINTS} type hash key 16 value 16 entries 9 name gre_endpoints flags 1`;
  if (ebpf) edge.server.run(["sh", "-ec", `rm ${ENDPOINTS}; ${another}`]);
  expect((await edge.server.apply(other, NODE))["drift"]).toEqual(ebpf ? ["GRE program"] : []);
  expect(await drift()).toEqual([]);
  const { answered, silent } = JSON.parse((await connecting.end()).trim().split("\n").at(-1) ?? "");
  expect(answered).toBeGreaterThan(20);
  expect(silent).toBe(0);
  expect(edge.connect(21)).toBe("refused");
  expect(await deviceIndex()).toBe(device);
});

/** What becomes of one connection after the other. One whose first packet is lost, or the answer, is silent: TCP asks again after 1 s. */
const CONNECTS = `
  const counts = { answered: 0, silent: 0 };
  const connect = () => {
    const socket = require("net").connect({ host: "${FTP}", port: 21 });
    const end = (word) => { clearTimeout(timer); socket.destroy(); counts[word]++; console.log(JSON.stringify(counts)); setTimeout(connect, 10); };
    const timer = setTimeout(() => end("silent"), 900);
    socket.on("connect", () => end("answered"));
    socket.on("error", () => end("answered"));
  };
  connect();`;

/** Made anew, a device has another. */
async function deviceIndex(): Promise<unknown> {
  const shown = ["ip", "-j", "link", "show", "dev", endsOf("chicago").device];
  return JSON.parse(edge.server.run(shown, { namespace: "tg-acme" }))[0].ifindex;
}

/** The source of a packet that the tunnel carries now. */
async function outerSource(): Promise<string> {
  const capture = ["tcpdump", "-ni", "eth0", "-c", "1", "--immediate-mode", "ip proto 47"];
  const [command, ...args] = edge.server.enter(["timeout", "20", ...capture], "router");
  const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  tcpdump.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const ended = new Promise((resolve) => tcpdump.once("close", resolve));
  await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
  // Where the site does not know the address there is no answer.
  edge.connect(21);
  await ended;
  return /IP (\S+) > /.exec(output)?.[1] ?? output;
}

describe("one thing of a customer's firewall that somebody changed", () => {
  const odd = Array.from({ length: 60 }, (_, index) => 2 * index + 1001);
  const policy = acme({
    firewall: {
      default: "drop",
      rules: [
        // Longer than a line of nft(8).
        rule("odd-ports", "allow", and(address("ip.src", "192.0.2.0/24"), number("tcp.dstport", ...odd))),
        rule("log-it", { kind: "log", sample: 1 }, number("udp.dstport", 9)),
      ],
      stateful: true,
      offload: "off",
    },
  });
  let firewall: string;

  beforeAll(async () => {
    firewall = edge.bundle("firewall", policy);
    await edge.server.apply(firewall, NODE);
    expect(await drift()).toEqual([]);
  });

  const nft = (text: string) => edge.server.run(["nft", text], { namespace: "tg-acme" });
  const entry = () => /chain (prerouting\.[0-9a-f]+)/.exec(nft("list chains inet"))?.[1] ?? "";
  const handle = () =>
    /# handle (\d+)$/m.exec(
      edge.server
        .run(["nft", "-a", "list", "chain", "inet", "tidegate", entry()], { namespace: "tg-acme" })
        .split("\n")
        .slice(2)
        .join("\n"),
    )?.[1];
  const set = () => /set (prefixes-4\.[0-9a-f]+)/.exec(nft("list sets inet"))?.[1] ?? "";

  test.each([
    ["a rule that is gone", () => nft(`delete rule inet tidegate ${entry()} handle ${handle()}`)],
    ["a rule more", () => nft(`insert rule inet tidegate ${entry()} accept`)],
    ["an address that is gone", () => nft(`delete element inet tidegate ${set()} { 203.0.113.0/24 }`)],
    [
      "a chain more",
      () => nft("add chain inet tidegate another { type filter hook prerouting priority -500; }"),
    ],
  ])("%s: found, and mended", async (_name, damage) => {
    damage();
    expect(await drift()).toEqual(["firewall"]);
    expect((await edge.server.apply(firewall, NODE))["drift"]).toEqual(["firewall"]);
    expect(await drift()).toEqual([]);
  });
});

/** Tunnels that stand in for one another, by priority: no group says which of them is in use. */
describe("one route of a customer that is not what it should be", () => {
  const target = parseAddress(FTP) ?? { family: 4 as const, value: 0n };
  const counts = { interval: 1000, timeout: 1000, up: 3, down: 3 };
  const chicago = { ...CHICAGO, key: 7, health: { style: "request" as const, target, ...counts } };
  const policy = acme({
    tunnels: [chicago, { ...CHICAGO, name: "dallas", key: 9 }],
    routes: acme().routes.flatMap((route) => [route, { ...route, tunnel: "dallas", priority: 200 }]),
  });
  const [row] = tunnels(policy);
  const device = endsOf("chicago", policy).device;
  const lives = "/run/tidegate/customers/acme/health.json";
  let standing: string;

  beforeAll(async () => {
    standing = edge.bundle("standing", policy);
    await edge.server.apply(standing, NODE);
    expect(await drift()).toEqual([]);
  });

  const ip = (command: string) => edge.server.run(["sh", "-ec", `ip ${command}`], { namespace: "tg-acme" });
  const routes = () => [1000, 1001].map((table) => ip(`route show table ${table} || true`)).join("");
  const table = () => (ip("route show table 1000 || true") === "" ? 1001 : 1000);
  const dead = () => {
    const note = { chicago: { asked: row && askedBy(row), life: "dead", since: "2026-01-01T00:00:00Z" } };
    edge.server.run(["sh", "-ec", `echo '${JSON.stringify(note)}' > ${lives}`]);
  };

  test.each<[name: string, damage: () => unknown, isLeft: boolean]>([
    ["it is gone", () => ip(`route del 203.0.113.0/24 dev ${device} table ${table()}`), false],
    ["IPv6's is gone", () => ip(`-6 route del 2001:db8:a::/48 dev ${device} table ${table()}`), false],
    [
      "it leads elsewhere",
      () => ip(`route replace 203.0.113.0/24 dev lo metric 101 table ${table()}`),
      false,
    ],
    ["it is there though its router was found dead", dead, true],
    ["it is not there though nobody knows of that any more", () => edge.server.run(["rm", lives]), false],
  ])("%s: found, and mended", async (_name, damage, isLeft) => {
    damage();
    expect(await drift()).toEqual(["routing table"]);
    expect((await edge.server.apply(standing, NODE))["drift"]).toEqual(["routing table"]);
    expect(await drift()).toEqual([]);
    expect(routes().includes(device)).toBe(!isLeft);
  });
});
