import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { AcmeEdge, acme, CHICAGO, endsOf, globex, NODE, tamper } from "../support/acme-edge.js";
import { address, rule } from "../support/ir.js";

const ACME_PREFIXES = ["203.0.113.0/24", "2001:db8:a::/48"];

/** Lines for ip(8) of which the kernel refuses the second. */
const TWICE = "route add blackhole 0.0.0.0/0 metric 9 table $table\n".repeat(2);

let edge: AcmeEdge;
let found: string;
let bundle: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  bundle = edge.bundle("acme", acme());
  found = edge.server.portrait();
});

afterAll(() => edge?.server.end());

/** What `promise` rejects with: the code of the catalogue and the message. */
async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    ({ code, message }) => `${code} ${message}`,
  );
}

const loaded = async () => (await edge.server.status()).customers;

/** The node as it is, with the customer's namespace. */
const portrait = () => edge.server.portrait() + edge.server.portrait("tg-acme");

describe("the first bundle", () => {
  test("before it there is nothing", async () => {
    expect(await edge.server.status()).toEqual({ node: null, customers: [] });
  });

  test("a program that the verifier refuses leaves the machine as it was", async () => {
    const bad = tamper(edge.bundle("bad-program", acme()), "xdp/acme.bpf.o", "not ELF");
    expect(await failure(edge.server.apply(bad, NODE))).toMatch(/^TG9006 load the XDP program failed: /);
    expect(edge.server.portrait()).toBe(found);
    expect(edge.server.run(["ls", "-A", "/run/tidegate"]).trim()).toBe("lock");
  });

  test("a failure at the very end leaves the machine as it was", async () => {
    const folder = "/run/tidegate/customers/acme";
    edge.server.run(["mkdir", "-p", `${folder}/state.json.new`, `${folder}/bundle-7`]);
    expect(await failure(edge.server.apply(bundle, NODE))).toMatch(/^TG9006 record failed: .*EISDIR/);
    expect(edge.server.portrait()).toBe(found);
    expect(await edge.server.status()).toEqual({ node: null, customers: [] });
  });

  test("is put in force", async () => {
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({
      customer: "acme",
      changed: true,
      generation: 1,
    });
    expect(await loaded()).toMatchObject([
      { name: "acme", generation: 1, drift: [], prefixes: ACME_PREFIXES },
    ]);
    const { node } = await edge.server.status();
    expect(node).toMatchObject({
      drift: [],
      gre: await chooseGre(),
      uplinks: NODE.uplinks.map((device) => ({ device, xdp: "native" })),
    });
  });

  test("applied again, nothing is touched", async () => {
    const before = portrait();
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({ changed: false, generation: 1 });
    expect(portrait()).toBe(before);
  });
});

describe("a bundle that fails", () => {
  test.each([
    ["nft/acme.nft", "table inet tidegate { nonsense }\n", /^TG9006 load the firewall failed: .*nonsense/s],
    ["route/acme.ip", TWICE, /^TG9006 fill the routing table failed: .*File exists/s],
  ])("in %s leaves the one before in force", async (file, content, message) => {
    const before = portrait();
    const other = edge.bundle(
      "bad",
      acme({ firewall: { default: "allow", rules: [], stateful: false, offload: "auto" } }),
    );
    expect(await failure(edge.server.apply(tamper(other, file, content), NODE))).toMatch(message);
    expect(portrait()).toBe(before);
    expect(await loaded()).toMatchObject([{ generation: 1, drift: [] }]);
  });

  test("says so when it cannot be undone either, and applying again mends it", async () => {
    // As many rules as before, so that it is not seen as drift; and a set that takes no addresses.
    const chain = "inet tidegate mark_customers";
    const sabotage = [
      `flush chain ${chain}`,
      "delete set inet tidegate customers_6",
      "add set inet tidegate customers_6 { type inet_service; flags interval; }",
      ...["ip daddr @customers_4", "tcp dport @customers_6"].map(
        (one) => `add rule ${chain} ${one} goto keep_stamp`,
      ),
    ];
    edge.server.run(["nft", sabotage.join("; ")]);
    const next = edge.bundle("next", acme({ prefixes: acme().prefixes.slice(1), routes: [] }));
    expect(await failure(edge.server.apply(next, NODE))).toMatch(
      /^TG9007 release prefixes failed: .*; and undoing failed too, at release prefixes/s,
    );
    edge.server.run(["nft", "delete table inet tidegate"]);
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({
      changed: true,
      drift: ["marking table", "end of the change to generation 2"],
    });
    expect(await loaded()).toMatchObject([{ drift: [] }]);
  });
});

describe("a change", () => {
  test("replaces the policy and the tunnel's parameters", async () => {
    const [{ generation }] = await loaded();
    const bogons = rule("more-bogons", "drop", address("ip.src", "10.0.0.0/8", "192.168.0.0/16"));
    const changed = acme({ mitigate: [bogons], tunnels: [{ ...CHICAGO, mtu: 1400, key: 7 }] });
    await edge.server.apply(edge.bundle("changed", changed), NODE);
    const [now] = await loaded();
    expect(now).toMatchObject({ generation: generation + 1, drift: [] });
    expect(Object.keys(now.counters.mitigate)).toEqual(["more-bogons", "default"]);
    const { device } = endsOf("chicago", changed);
    const shown = edge.server.run(["ip", "link", "show", device], { namespace: "tg-acme" });
    expect(shown).toMatch(/ mtu 1400 .*\n.*\n +alias chicago$/m);
    expect(edge.server.run(["ls", "/run/tidegate/bpf/customers/acme"]).trim()).toBe(`${generation + 1}`);
  });

  test("renames a tunnel, or two tunnels change places, at the same remotes", async () => {
    const DALLAS = { ...CHICAGO, name: "dallas", key: 9 };
    const moved = (...tunnels: readonly Tunnel[]): string => {
      const routes = acme().routes.map((route) => ({ ...route, tunnel: tunnels[0]?.name ?? "" }));
      return edge.bundle("moved", acme({ tunnels, routes }));
    };
    const apply = async (...tunnels: readonly Tunnel[]) => {
      await edge.server.apply(moved(...tunnels), NODE);
      expect(await loaded()).toMatchObject([{ drift: [], tunnels: tunnels.map(({ name }) => ({ name })) }]);
    };
    const { device } = endsOf("chicago");
    const index = () =>
      edge.server.run(["ip", "-o", "link", "show", device], { namespace: "tg-acme" }).split(":")[0];
    await apply(CHICAGO);
    const before = index();
    await apply({ ...CHICAGO, name: "illinois" });
    expect(index()).toBe(before);
    await apply(CHICAGO, DALLAS);
    await apply({ ...DALLAS, key: CHICAGO.key }, { ...CHICAGO, key: DALLAS.key });
    const bad = tamper(moved(CHICAGO, { ...DALLAS, name: "houston" }), "route/acme.ip", TWICE);
    expect(await failure(edge.server.apply(bad, NODE))).toMatch(/^TG9006 fill the routing table failed: /);
    expect(await loaded()).toMatchObject([{ drift: [], tunnels: [{ name: "dallas" }, { name: "chicago" }] }]);
    await edge.server.apply(bundle, NODE);
    expect(await loaded()).toMatchObject([{ drift: [] }]);
  });

  test("gives up a prefix and a tunnel", async () => {
    const [prefix] = acme().prefixes;
    const smaller = acme({ prefixes: prefix ? [prefix] : [], tunnels: [], routes: [] });
    await edge.server.apply(edge.bundle("smaller", smaller), NODE);
    expect(await loaded()).toMatchObject([{ prefixes: ["203.0.113.0/24"], tunnels: [], drift: [] }]);
    expect(edge.server.portrait()).not.toContain("2001:db8:a");
    expect(edge.server.portrait()).not.toContain(endsOf("chicago").peer);
    await edge.server.apply(bundle, NODE);
    expect(await loaded()).toMatchObject([{ prefixes: ACME_PREFIXES, drift: [] }]);
  });

  test("of the node's configuration takes down what is not asked for any more", async () => {
    const smaller: NodeConfig = { ...NODE, uplinks: ["up0"] };
    expect(await edge.server.apply(bundle, smaller)).toMatchObject({ changed: true });
    expect(edge.server.run(["ip", "link", "show", "up1"])).not.toContain("xdp");
    expect(edge.server.run(["tc", "qdisc", "show", "dev", "up1"])).not.toContain("clsact");
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({ changed: true });
  });
});

describe("drift", () => {
  test.each([
    ["firewall", ["nft", "delete table inet tidegate"], "tg-acme"],
    [
      "routing table",
      ["sh", "-c", "for t in 1000 1001; do ip route flush table $t 2>/dev/null || true; done"],
      "tg-acme",
    ],
    ["namespace tg-acme", ["ip", "netns", "del", "tg-acme"], undefined],
    ["tunnel chicago", ["ip", "link", "del", endsOf("chicago").device], "tg-acme"],
    ["route of 203.0.113.0/24", ["ip", "route", "del", "203.0.113.0/24", "table", "21575"], undefined],
    ["link tg-acme", ["ip", "link", "del", "tg-acme"], undefined],
    ["root program on up0", ["rm", "/run/tidegate/bpf/root/link_up0"], undefined],
    ["IPv6 policy routing", ["ip", "-6", "rule", "del", "priority", "21575"], undefined],
    ["anycast address 198.18.0.1", ["ip", "addr", "del", "198.18.0.1/32", "dev", "lo"], undefined],
  ])("%s: found, and mended by applying again", async (name, command, namespace) => {
    const [{ generation }] = await loaded();
    edge.server.run(command, namespace === undefined ? {} : { namespace });
    const { node, customers } = await edge.server.status();
    expect([...node.drift, ...customers[0].drift]).toContain(name);
    const applied = await edge.server.apply(bundle, NODE);
    expect(applied).toMatchObject({ changed: true, generation: generation + 1 });
    expect(applied["drift"]).toContain(name);
    expect((await edge.server.status()).node.drift).toEqual([]);
    expect(await loaded()).toMatchObject([{ drift: [] }]);
  });
});

describe("the stored bundle, damaged", () => {
  const stored = async () => `/run/tidegate/customers/acme/bundle-${(await loaded())[0].generation}`;
  const damage = async () => edge.server.run(["sh", "-c", `echo >> ${await stored()}/nft/acme.nft`]);

  test("is mended by applying the same again", async () => {
    await damage();
    expect(await loaded()).toMatchObject([{ drift: ["stored bundle"] }]);
    expect(await edge.server.apply(bundle, NODE)).toMatchObject({ changed: true, drift: ["stored bundle"] });
    expect(await loaded()).toMatchObject([{ drift: [] }]);
  });

  test("is no way back for a change, and no hindrance to remove", async () => {
    await damage();
    const other = edge.bundle("other", acme({ mitigate: [] }));
    expect(await failure(edge.server.apply(other, NODE))).toMatch(/^TG9011 .*bundle-\d+`: `nft\/acme.nft`/);
    await edge.server.remove("acme");
    expect(edge.server.portrait()).toBe(found);
    await edge.server.apply(bundle, NODE);
  });
});

test("what cannot be cleared up after a change does not undo it", async () => {
  const [{ generation }] = await loaded();
  const stuck = `/run/tidegate/customers/acme/bundle-${generation}`;
  edge.server.run(["mount", "--bind", stuck, stuck]);
  const other = edge.bundle("other", acme({ mitigate: [] }));
  expect(await failure(edge.server.apply(other, NODE))).toMatch(
    new RegExp(`^TG9014 \`acme\` generation ${generation + 1} is in force, .*EBUSY`),
  );
  const drift = [`end of the change to generation ${generation + 1}`];
  expect(await loaded()).toMatchObject([{ generation: generation + 1, drift }]);
  edge.server.run(["umount", stuck]);
  expect(await edge.server.apply(other, NODE)).toMatchObject({ changed: true, drift });
  expect(await loaded()).toMatchObject([{ drift: [] }]);
  await edge.server.apply(bundle, NODE);
});

describe("remove", () => {
  test("takes one customer away and leaves the other", async () => {
    await edge.server.apply(edge.bundle("globex", globex()), NODE);
    expect(await edge.server.remove("acme")).toEqual({ customer: "acme", last: false });
    expect(await loaded()).toMatchObject([{ name: "globex", drift: [] }]);
    expect(edge.server.portrait()).not.toMatch(/acme|203\.0\.113|2001:db8:a/);
  });

  test("of the last one leaves the machine as it was found", async () => {
    expect(await edge.server.remove("globex")).toEqual({ customer: "globex", last: true });
    expect(edge.server.portrait()).toBe(found);
    expect(edge.server.run(["ls", "-A", "/run/tidegate"]).trim()).toBe("lock");
  });

  test("that fails can be repeated", async () => {
    await edge.server.apply(bundle, NODE);
    const [command, ...args] = edge.server.enter([
      "sh",
      "-c",
      "cd /run/tidegate/bpf && echo there && exec cat",
    ]);
    const guest = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((resolve) => guest.stdout.once("data", resolve));
    expect(await failure(edge.server.remove("acme"))).toMatch(/^TG9015 this node refused: umount .*busy/s);
    const ended = new Promise((resolve) => guest.once("close", resolve));
    guest.stdin.end();
    await ended;
    expect(await edge.server.remove("acme")).toEqual({ customer: "acme", last: true });
    expect(edge.server.portrait()).toBe(found);
  });

  test("of nobody fails", async () => {
    expect(await failure(edge.server.remove("acme"))).toBe("TG9010 `acme` is not loaded on this node");
  });
});

test("what the operator had before stays", async () => {
  edge.server.ip(["addr add 198.18.0.1/32 dev up1"]);
  edge.server.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
  edge.server.run(["tc", "qdisc", "add", "dev", "up0", "clsact"]);
  const before = edge.server.portrait();
  await edge.server.apply(bundle, NODE);
  await edge.server.remove("acme");
  expect(edge.server.portrait()).toBe(before);
});

test("a node without IPv6 of its own has customers of IPv4 all the same", async () => {
  const [prefix] = acme().prefixes;
  const only4 = acme({ prefixes: prefix ? [prefix] : [], routes: acme().routes.slice(0, 1) });
  const off = (value: number) =>
    edge.server.run([
      "sysctl",
      "-q",
      "-w",
      ...["all", "default"].map((name) => `net.ipv6.conf.${name}.disable_ipv6=${value}`),
    ]);
  off(1);
  await edge.server.apply(edge.bundle("only4", only4), { ...NODE, anycast: ["198.18.0.1"] });
  expect(await loaded()).toMatchObject([{ drift: [] }]);
  await edge.server.remove("acme");
  off(0);
});

test("each generation's manifest is what was applied", async () => {
  await edge.server.apply(bundle, NODE);
  const copy = edge.server.run(["cat", "/run/tidegate/customers/acme/bundle-1/manifest.json"]);
  expect(copy).toBe(readFileSync(join(bundle, "manifest.json"), "utf8"));
});
