import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, endsOf, NODE } from "../support/acme-edge.js";
import { during, flip, PACKETS_OF_A_ROUND } from "../support/two-policies.js";

/** Tunnels that change while packets go to them: none takes another way than the old policy's or the new one's, and none is lost. */

const KEYS = [7, 8, 9] as const;
const CHICAGO_7: Tunnel = { ...CHICAGO, key: 7 };
const DALLAS: Tunnel = { ...CHICAGO, name: "dallas", key: 9 };

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const counters = KEYS.map((key) => `counter k${key} {}`);
  const rules = KEYS.map((key) => `ip protocol 47 @nh,192,32 ${key} counter name k${key} drop`);
  const chain = ["chain c {", "type filter hook prerouting priority -300", ...rules, "}"];
  const input = ["table ip arrived {", ...counters, ...chain, "}", ""].join("\n");
  edge.server.run(["nft", "-f", "-"], { namespace: "router", input });
});

afterAll(async () => {
  await edge?.server.end();
});

/** Packets with each key since the last call. */
function arrived(): Readonly<Record<string, number>> {
  const argv = ["nft", "-j", "reset", "counters", "table", "ip", "arrived"];
  const { nftables } = JSON.parse(edge.server.run(argv, { namespace: "router" })) as {
    readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
  };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
}

/** Packets go to the first tunnel, and to the second one where that has none; or both share them. */
function through(tunnels: readonly [Tunnel, Tunnel], shared = false): Policy {
  return acme({
    mitigate: [],
    firewall: { default: "allow", rules: [], stateful: false, offload: "auto" },
    tunnels,
    routes: acme().routes.flatMap((route) =>
      tunnels.map(({ name }, at) => ({ ...route, tunnel: name, priority: shared ? 100 : 100 + at })),
    ),
  });
}

let bundles = 0;

const bundleOf = (policy: Policy) => edge.bundle(`bundle-${bundles++}`, policy);

/** Puts them in force in turn. What arrived meanwhile, key by key, of how many that were sent. */
async function changing(...policies: readonly Policy[]) {
  const folders = policies.map(bundleOf);
  arrived();
  const { sent } = await during(edge, 4000, () => flip(edge, folders, folders.length));
  return { sent: (sent / 2) * PACKETS_OF_A_ROUND, arrived: arrived() };
}

const CHANGES: readonly (readonly [name: string, to: Tunnel, key: "k7" | "k8"])[] = [
  ["another key", { ...CHICAGO_7, key: 8 }, "k8"],
  ["another name and a smaller MTU", { ...CHICAGO_7, name: "illinois", mtu: 1300 }, "k7"],
  ["another TTL and a larger MTU", { ...CHICAGO_7, ttl: 9, mtu: 1500 }, "k7"],
];

describe.each(CHANGES)("%s", (_name, to, key) => {
  test("packets to the tunnel never take the next one's route, nor get lost", async () => {
    const [before, after] = [through([CHICAGO_7, DALLAS]), through([to, DALLAS])];
    await edge.server.apply(bundleOf(before), NODE);
    const { sent, arrived } = await changing(after, before);
    expect(arrived["k9"]).toBe(0);
    expect((arrived["k7"] ?? 0) + (arrived["k8"] ?? 0)).toBe(sent);
    expect(arrived[key]).toBeGreaterThan(0);
    await edge.server.apply(bundleOf(after), NODE);
    const { device } = endsOf(to.name, after);
    const shown = edge.server.run(["ip", "link", "show", device], { namespace: "tg-acme" });
    expect(shown).toContain(` mtu ${to.mtu} `);
    expect((await edge.server.status()).customers).toMatchObject([{ drift: [] }]);
  });
});

test("a change that fails after a tunnel got too narrow for IPv6 leaves the old policy's routes, also those of IPv6", async () => {
  const [ipv4] = acme().prefixes;
  if (!ipv4) throw new Error("Acme has prefixes");
  const tunnels = [{ ...CHICAGO, mtu: 1200 }];
  const narrow = acme({ prefixes: [ipv4], tunnels, routes: acme().routes.slice(0, 1) });
  // Both places have been used.
  for (const policy of [narrow, acme()]) await edge.server.apply(bundleOf(policy), NODE);
  const found = edge.server.portrait("tg-acme");
  const obstacle = "/run/tidegate/customers/acme/state.json.new";
  edge.server.run(["mkdir", obstacle]);
  await expect(edge.server.apply(bundleOf(narrow), NODE)).rejects.toThrow(/record failed: .*EISDIR/);
  edge.server.run(["rmdir", obstacle]);
  expect(edge.server.portrait("tg-acme")).toBe(found);
  expect(found).toMatch(/2001:db8:a::\/48 dev \S+ table \d+/);
});

test("where tunnels share packets, those of the other one stay there, and its own go to it or to what it becomes", async () => {
  const before = through([CHICAGO_7, DALLAS], true);
  await edge.server.apply(bundleOf(before), NODE);
  const first = await changing(through([CHICAGO_7, { ...DALLAS, ttl: 9 }], true));
  const share = (first.arrived["k9"] ?? 0) / first.sent;
  const { sent, arrived } = await changing(through([{ ...CHICAGO_7, key: 8 }, DALLAS], true), before);
  expect(arrived["k9"]).toBeCloseTo(share * sent, 6);
  expect((arrived["k7"] ?? 0) + (arrived["k8"] ?? 0)).toBeCloseTo((1 - share) * sent, 6);
});
