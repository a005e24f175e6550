import { expect, test } from "vitest";
import { parseAddress, parsePrefix } from "../../src/compiler/ir/address.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { route } from "../../src/targets/route/target.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { policy, spanAt } from "../support/ir.js";

const span = spanAt(1);

function tunnel(name: string, key: number | null = null, mtu = 1476): Policy["tunnels"][number] {
  const remote = parseAddress("198.51.100.1");
  if (!remote) throw new Error("not an address");
  return { name, remote, ttl: 64, mtu, key, span };
}

function routeTo(text: string, tunnel: string, priority: number): Policy["routes"][number] {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
  return { prefix: parsed.prefix, tunnel, priority, weight: 1, span };
}

function emitted(tunnels: Policy["tunnels"], routes: Policy["routes"]): Readonly<Record<string, string>> {
  const artifacts = route.emit({ ...policy([]), tunnels, routes });
  return Object.fromEntries(artifacts.map(({ path, text }) => [path, text]));
}

test("routes are in address order, and all else goes nowhere", () => {
  const files = emitted(
    [tunnel("chicago"), tunnel("paris")],
    [
      routeTo("2001:db8::/32", "chicago", 0),
      routeTo("203.0.113.128/25", "chicago", 100),
      routeTo("203.0.113.0/24", "paris", 200),
      routeTo("203.0.113.0/24", "chicago", 100),
    ],
  );
  expect(files["route/acme.ip"]).toBe(
    [
      '# routes of customer "acme"',
      "route add blackhole 0.0.0.0/0 metric 4294967295 table $table",
      "route add blackhole ::/0 metric 4294967295 table $table",
      "route add 203.0.113.0/24 dev gre-chicago metric 101 table $table",
      "route add 203.0.113.0/24 dev gre-paris metric 201 table $table",
      "route add 203.0.113.128/25 dev gre-chicago metric 101 table $table",
      "route add 2001:db8::/32 dev gre-chicago metric 1 table $table",
      "",
    ].join("\n"),
  );
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
    "link add dev tg-acme-chicago type gre local $anycast4 remote 198.51.100.1 ttl 64 tos inherit pmtudisc",
    "link set dev tg-acme-chicago netns tg-acme name gre-chicago",
  ]);
  expect(lines("veth")).toEqual([
    "link add dev tg-acme-chicago mtu 1476 address 02:54:47:00:00:01 type veth " +
      "peer name gre-chicago netns tg-acme mtu 1476 address 02:54:47:00:00:02",
    "link set dev tg-acme-chicago arp off addrgenmode none up",
  ]);
  expect(lines("up")).toEqual(["link set dev gre-chicago mtu 1476 arp off addrgenmode none up"]);
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
  expect(row?.device).toMatch(/^gre-.{11}$/);
  expect(row?.peer).toMatch(/^tg-.{12}$/);
});
