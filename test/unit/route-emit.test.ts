import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import type { Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { route } from "../../src/targets/route/target.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { policy, spanAt, tunnel as tunnelTo } from "../support/ir.js";

const span = spanAt(1);

function tunnel(name: string, key: number | null = null, mtu = 1476): Tunnel {
  return tunnelTo(name, "198.51.100.1", { key, mtu });
}

const TUNNELS = [tunnel("chicago"), tunnel("paris", 1), tunnel("rome", 2)];
const ROWS = tunnels({ ...policy([]), tunnels: TUNNELS });
const [PEER, ...DEVICES] = [ROWS[0]?.peer, ...ROWS.map(({ device }) => device)];
const DEVICE = { chicago: DEVICES[0], paris: DEVICES[1], rome: DEVICES[2] };

function routeTo(text: string, tunnel: string, priority: number, weight = 1): Policy["routes"][number] {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
  return { prefix: parsed.prefix, tunnel, priority, weight, span };
}

function emitted(tunnels: Policy["tunnels"], routes: Policy["routes"]): Readonly<Record<string, string>> {
  const artifacts = route.emit({ ...policy([]), tunnels, routes });
  return Object.fromEntries(artifacts.map(({ path, text }) => [path, text]));
}

test("routes are in address order, and all else goes nowhere", () => {
  const files = emitted(TUNNELS, [
    routeTo("2001:db8::/32", "chicago", 0),
    routeTo("203.0.113.128/25", "chicago", 100),
    routeTo("203.0.113.0/24", "paris", 200),
    routeTo("203.0.113.0/24", "chicago", 100),
  ]);
  expect(files["route/acme.ip"]).toBe(
    [
      '# routes of customer "acme"',
      "route add blackhole 0.0.0.0/0 metric 4294967295 table $table",
      "route add blackhole ::/0 metric 4294967295 table $table",
      `route add 203.0.113.0/24 dev ${DEVICE.chicago} metric 101 table $table`,
      `route add 203.0.113.0/24 dev ${DEVICE.paris} metric 201 table $table`,
      `route add 203.0.113.128/25 dev ${DEVICE.chicago} metric 101 table $table`,
      `route add 2001:db8::/32 dev ${DEVICE.chicago} metric 1 table $table`,
      "",
    ].join("\n"),
  );
});

describe("routes of one prefix and one priority are a nexthop group", () => {
  const tunnels = TUNNELS;
  const linesOf = (routes: Policy["routes"], file: string) =>
    emitted(tunnels, routes)[`route/acme.${file}`]?.split("\n").slice(1, -1);

  test("of each family, in whatever order, and the same tunnels and weights are one group", () => {
    const routes = [
      routeTo("203.0.113.0/24", "chicago", 100, 3),
      routeTo("203.0.113.0/24", "paris", 100),
      routeTo("203.0.113.0/24", "rome", 200),
      routeTo("203.0.113.64/26", "chicago", 7, 3),
      routeTo("203.0.113.64/26", "paris", 7),
      routeTo("2001:db8::/32", "paris", 100),
      routeTo("2001:db8::/32", "chicago", 100),
    ];
    const timers = "idle_timer 20 unbalanced_timer 60";
    expect(linesOf(routes, "nexthops4.ip")).toEqual([
      `nexthop add id $table000001 dev ${DEVICE.chicago}`,
      `nexthop add id $table000002 dev ${DEVICE.paris}`,
    ]);
    expect(linesOf(routes, "nexthops6.ip")).toEqual([
      `nexthop add id $table000004 dev ${DEVICE.chicago}`,
      `nexthop add id $table000005 dev ${DEVICE.paris}`,
    ]);
    expect(linesOf(routes, "ip")?.slice(2)).toEqual([
      `nexthop add id $table000003 group $table000001,3/$table000002,1 type resilient buckets 128 ${timers}`,
      `nexthop add id $table000006 group $table000004,1/$table000005,1 type resilient buckets 128 ${timers}`,
      "route add 203.0.113.0/24 nhid $table000003 metric 101 table $table",
      `route add 203.0.113.0/24 dev ${DEVICE.rome} metric 201 table $table`,
      "route add 203.0.113.64/26 nhid $table000003 metric 8 table $table",
      "route add 2001:db8::/32 nhid $table000006 metric 101 table $table",
    ]);
  });

  test.each([
    [[1, 1], 128],
    [[4, 2], 129],
    [[256, 256], 128],
    [[1, 256], 257],
    [[100, 50, 7], 157],
  ])("weights %j have their shares of the buckets exactly: %d", (weights, buckets) => {
    const routes = weights.map((weight, index) =>
      routeTo("203.0.113.0/24", tunnels[index]?.name ?? "", 100, weight),
    );
    expect(linesOf(routes, "ip")?.at(2)).toContain(` buckets ${buckets} `);
  });

  test.each([
    [64, []],
    [65, ["TG4030"]],
  ])("%d of them are reported as %j", (count, expected) => {
    const routes = Array.from({ length: count }, (_, at) => routeTo("203.0.113.0/24", `t${at}`, 100));
    const diagnostics = new Diagnostics();
    route.check({ ...policy([]), routes }, diagnostics);
    expect(diagnostics.all.map(({ code }) => code)).toEqual(expected);
  });

  test("where none share there is no file of them", () => {
    expect(Object.keys(emitted(tunnels, [routeTo("203.0.113.0/24", "rome", 1, 9)]))).not.toContain(
      "route/acme.nexthops4.ip",
    );
  });
});

test("a tunnel is a GRE device or a veth pair", () => {
  const files = emitted([tunnel("chicago")], []);
  expect(Object.keys(files)).toEqual([
    "route/acme.ip",
    "route/acme.chicago.gre.ip",
    "route/acme.chicago.veth.ip",
    "route/acme.chicago.up.ip",
  ]);
  const lines = (kind: string) => files[`route/acme.chicago.${kind}.ip`]?.split("\n").slice(1, -1);
  expect(lines("gre")).toEqual([
    `link add dev ${PEER} type gre local $anycast4 remote 198.51.100.1 ttl 64 tos inherit pmtudisc`,
    `link set dev ${PEER} netns tg-acme name ${DEVICE.chicago}`,
  ]);
  expect(lines("veth")).toEqual([
    `link add dev ${PEER} mtu 1476 address 02:54:47:00:00:01 type veth ` +
      `peer name ${DEVICE.chicago} netns tg-acme mtu 1476 address 02:54:47:00:00:02`,
    `link set dev ${PEER} arp off addrgenmode none up`,
  ]);
  expect(lines("up")).toEqual([`link set dev ${DEVICE.chicago} mtu 1476 arp off addrgenmode none up`]);
});

test.each<[Partial<Tunnel>, string, string, string]>([
  [
    { ttl: "inherit", dscp: 46, df: "inherit" },
    "198.51.100.1",
    "gre",
    "gre local $anycast4 remote 198.51.100.1 ttl inherit tos 0xb8 nopmtudisc",
  ],
  [{ dscp: 0 }, "198.51.100.1", "gre", "gre local $anycast4 remote 198.51.100.1 ttl 64 tos 0x00 pmtudisc"],
  [
    { key: 7 },
    "2001:db8:ffff::1",
    "gre",
    "ip6gre local $anycast6 remote 2001:db8:ffff::1 hoplimit 64 tclass inherit encaplimit none key 7",
  ],
  [
    { kind: "ipip" },
    "198.51.100.1",
    "ipip",
    "sit mode any local $anycast4 remote 198.51.100.1 ttl 64 tos inherit pmtudisc",
  ],
  [
    { kind: "ipip", ttl: "inherit", dscp: 1 },
    "2001:db8:ffff::1",
    "ipip",
    "ip6tnl mode any local $anycast6 remote 2001:db8:ffff::1 hoplimit inherit tclass 0x04 encaplimit none",
  ],
])("%j to %s is a device of the kernel's", (overrides, remote, kind, expected) => {
  const files = emitted([tunnelTo("chicago", remote, overrides)], []);
  expect(files[`route/acme.chicago.${kind}.ip`]).toContain(` type ${expected}\n`);
});

test("a tunnel may have a key, also 0", () => {
  const files = emitted([tunnel("a", 0), tunnel("b", 4294967295)], []);
  expect(files["route/acme.a.gre.ip"]).toContain(" pmtudisc key 0\n");
  expect(files["route/acme.b.gre.ip"]).toContain(" pmtudisc key 4294967295\n");
});

test("a device too small for IPv6 is not asked about IPv6 addresses", () => {
  const files = emitted([tunnel("small", null, 1279)], []);
  expect(files["route/acme.small.up.ip"]).toContain("mtu 1279 arp off up\n");
});

test("the manifest's rows name both ends of a tunnel, in 15 characters", () => {
  const [row] = tunnels({ ...policy([]), tunnels: [tunnel("a-very-long-tunnel-name", 7)] });
  expect(row).toMatchObject({
    name: "a-very-long-tunnel-name",
    remote: "198.51.100.1",
    ttl: 64,
    mtu: 1476,
    key: 7,
  });
  expect(row?.device).toMatch(/^gre-[0-9a-f]{8}$/);
  expect(row?.peer).toMatch(/^tg-[0-9a-f]{12}$/);
});

test("a tunnel's device is named after where it leads, and by nothing else", () => {
  const endsOf = (one: Policy["tunnels"][number], customer = "acme") => {
    const [row] = tunnels({ ...policy([]), customer, tunnels: [one] });
    return [row?.device, row?.peer];
  };
  const first = endsOf(tunnel("a", 7));
  expect(endsOf({ ...tunnel("b", 7, 1300), ttl: 3 })).toEqual(first);
  const others = [tunnel("a"), tunnel("a", 0), tunnel("a", 8), tunnelTo("a", "198.51.100.2", { key: 7 })];
  const inIp = tunnelTo("a", "198.51.100.1", { kind: "ipip", key: 7 });
  for (const end of [0, 1])
    expect(
      new Set([first, ...[...others, inIp].map((one) => endsOf(one))].map((ends) => ends[end])).size,
    ).toBe(6);
  expect(endsOf(tunnel("a", 7), "globex")).toEqual([first[0], expect.not.stringMatching(`${first[1]}`)]);
});
