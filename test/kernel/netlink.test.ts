import { execFileSync, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader, LoaderError } from "../../runtime/loader-client.js";
import { addAddress, deleteAddress, holdersOf, LOOPBACK } from "../../runtime/netlink/address.js";
import { addVeth, deleteLink, findLink, linkAt, linkNames, setLink } from "../../runtime/netlink/link.js";
import { setNeighbour } from "../../runtime/netlink/neighbour.js";
import { type Family, inside, type Network, type Request } from "../../runtime/netlink/network.js";
import { perform } from "../../runtime/netlink/perform.js";
import { addClsact, deleteClsact, hasClsact } from "../../runtime/netlink/qdisc.js";
import {
  addRoute,
  deleteRoute,
  flushTable,
  leadsTo,
  MAIN_TABLE,
  type RouteFilter,
  replaceRoute,
  tableRoutes,
  wayTo,
} from "../../runtime/netlink/route.js";
import { addRule, deleteRule, rules } from "../../runtime/netlink/rule.js";
import { EVERYTHING, type Prefix, parsePrefix } from "../../runtime/prefix.js";

/** What is made by netlink, ip(8) and tc(8) see; and the other way round. */

const here = `k-here-${process.pid}`;
const there = `k-there-${process.pid}`;

let loader: Loader;
let network: Network;

beforeAll(async () => {
  for (const namespace of [here, there]) execFileSync("ip", ["netns", "add", namespace]);
  loader = await Loader.start();
  network = inside({ loader }, here);
  await perform(network, [
    addVeth(
      { name: "near", mac: "02:00:00:00:00:01", mtu: 1400 },
      { name: "far", mac: "02:00:00:00:00:02" },
      there,
    ),
    setLink("lo", { up: true }),
  ]);
});

afterAll(async () => {
  await loader?.close();
  for (const namespace of [here, there]) spawnSync("ip", ["netns", "del", namespace]);
});

// biome-ignore lint/suspicious/noExplicitAny: JSON as it is printed
function show(command: "ip" | "tc", args: readonly string[], namespace = here): any {
  return JSON.parse(
    execFileSync(command, ["-n", namespace, "-j", "-d", ...args], { encoding: "utf8" }) || "[]",
  );
}

const make = (...requests: readonly Request[]) => perform(network, requests);

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`\`${text}\` is no prefix`);
  return parsed;
}

describe("devices", () => {
  test("a veth pair has its ends in two namespaces", async () => {
    expect(show("ip", ["link", "show", "near"])).toMatchObject([
      { address: "02:00:00:00:00:01", mtu: 1400, linkinfo: { info_kind: "veth" } },
    ]);
    expect(show("ip", ["link", "show", "far"], there)).toMatchObject([{ address: "02:00:00:00:00:02" }]);
    expect(await linkNames(network)).toEqual(expect.arrayContaining(["lo", "near"]));
    const index = show("ip", ["link", "show", "near"])[0].ifindex;
    expect(await findLink(network, "near")).toEqual({
      ...{
        name: "near",
        index,
        mac: "02:00:00:00:00:01",
        mtu: 1400,
        mtu6: 1400,
        kind: "veth",
        state: "DOWN",
        xdp: null,
        bridge: null,
      },
    });
    expect(await linkAt(network, index)).toEqual(await findLink(network, "near"));
    expect(await linkAt(network, 9999)).toBeUndefined();
  });

  test("are set and brought up", async () => {
    const gso = { size: 1000, segments: 1 };
    await make(setLink("near", { mtu: 1300, noArp: true, noMulticast: true, noAddress: true, gso }));
    await perform(inside({ loader }, there), [setLink("far", { up: true })]);
    await make(setLink("near", { up: true }));
    const [{ flags, ...link }] = show("ip", ["link", "show", "near"]);
    expect(link).toMatchObject({
      mtu: 1300,
      gso_max_size: 1000,
      gso_max_segs: 1,
      inet6_addr_gen_mode: "none",
    });
    expect(flags).toEqual(expect.arrayContaining(["NOARP", "UP"]));
    expect(flags).not.toContain("MULTICAST");
    expect(show("ip", ["-6", "addr", "show", "near"])).toEqual([]);
    // The kernel works that out by and by (linkwatch, net/core/link_watch.c).
    await expect.poll(async () => (await findLink(network, "near"))?.state, { timeout: 10_000 }).toBe("UP");
  });

  test("what netfilter sees of a bridge is told", async () => {
    execFileSync("ip", ["-n", here, "link", "add", "bridge", "type", "bridge", "nf_call_ip6tables", "1"]);
    expect((await findLink(network, "bridge"))?.bridge).toEqual({ iptables: false, ip6tables: true });
    await deleteLink(network, "bridge");
    expect(await linkNames(network)).toEqual(expect.arrayContaining(["lo", "near"]));
  });

  test("that are not there are not found, nor is their deletion an error", async () => {
    expect(await findLink(network, "gone")).toBeUndefined();
    expect(await findLink(inside({ loader }, "k-gone"), "lo")).toBeUndefined();
    await deleteLink(network, "gone");
  });
});

test("addresses are given and taken", async () => {
  const four = { device: "lo", address: "198.18.0.1", length: 32 };
  const six = { device: "lo", address: "2001:db8::1", length: 128 };
  await make(
    addAddress(four),
    addAddress(six),
    addAddress({ ...four, address: "198.18.0.2", scope: "link" }),
  );
  const [{ addr_info }] = show("ip", ["addr", "show", "lo"]);
  const near = (await findLink(network, "near"))?.index ?? 0;
  const found = (local: string) => addr_info.find((one: { local: string }) => one.local === local);
  expect(found("198.18.0.1")).toMatchObject({ prefixlen: 32, scope: "global" });
  expect(found("198.18.0.2")).toMatchObject({ scope: "link" });
  expect(found("2001:db8::1")).toMatchObject({ prefixlen: 128, nodad: true });
  for (const one of [four, six]) {
    expect(await holdersOf(network, one.address)).toEqual([LOOPBACK]);
    expect(await holdersOf(network, one.address, LOOPBACK)).toEqual([LOOPBACK]);
    expect(await holdersOf(network, one.address, near)).toEqual([]);
    await make(deleteAddress(one));
    expect(await holdersOf(network, one.address)).toEqual([]);
  }
});

test("a neighbour is known for good", async () => {
  await make(setNeighbour("near", "169.254.84.2", "02:00:00:00:00:02"));
  expect(show("ip", ["neigh", "show", "dev", "near"])).toMatchObject([
    { dst: "169.254.84.2", lladdr: "02:00:00:00:00:02", state: ["PERMANENT"] },
  ]);
});

describe.each<[Family, string, string]>([
  [4, "203.0.113.0/24", "169.254.84.2"],
  [6, "2001:db8:a::/48", "fe80::2"],
])("IPv%i routes", (family, text, via) => {
  const to = prefix(text);
  const table = 21_575;
  const shown = () => show("ip", [`-${family}`, "route", "show", "table", `${table}`]);

  test("to a device, over a next hop, and into a blackhole", async () => {
    await make(
      addRoute({ to: EVERYTHING[family], table, metric: 65_535, by: "blackhole" }),
      addRoute({ to, table, metric: 101, by: { device: "near" } }),
      replaceRoute({ to, table, metric: 102, by: { device: "near", via } }),
      replaceRoute({ to, table, metric: 102, by: { device: "near", via } }),
    );
    expect(shown()).toHaveLength(3);
    expect(shown()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "blackhole", dst: "default", metric: 65_535 }),
        expect.objectContaining({ dst: text, dev: "near", metric: 101 }),
        expect.objectContaining({ dst: text, dev: "near", gateway: via, flags: ["onlink"], metric: 102 }),
      ]),
    );
    const routes = await tableRoutes(network, family, table);
    expect(routes.filter((route) => leadsTo(route, to))).toHaveLength(2);
    expect(routes.filter(({ isBlackhole, length }) => isBlackhole && length === 0)).toHaveLength(1);
  });

  test("are asked for by their type or their device", async () => {
    const asked = async (filter: RouteFilter) =>
      (await tableRoutes(network, family, table, filter)).map(({ isBlackhole, length }) =>
        isBlackhole ? "blackhole" : length,
      );
    const device = (await findLink(network, "near"))?.index ?? 0;
    expect(await asked({ type: "blackhole" })).toEqual(["blackhole"]);
    expect(await asked({ device })).toEqual([to.length, to.length]);
    expect(await asked({ device: 9999 })).toEqual([]);
  });

  test("the second of the same is an error, in the kernel's words", async () => {
    const failed = await make(addRoute({ to, table, metric: 101, by: { device: "near" } })).catch((e) => e);
    expect(failed).toBeInstanceOf(LoaderError);
    expect(failed.message).toBe(`route add ${text} dev near metric 101 table ${table}: File exists`);
  });

  test("say by which device one leaves, if by any", async () => {
    const inside = text.replace(/(0)?\/.*/, "9");
    const before = await wayTo(network, inside);
    await make(addRoute({ to, table: MAIN_TABLE, by: { device: "near" } }));
    const near = (await findLink(network, "near"))?.index;
    expect([before, await wayTo(network, inside)]).toEqual([undefined, { device: near, mtu: undefined }]);
    await make(deleteRoute(to, MAIN_TABLE), addRoute({ to, table: MAIN_TABLE, by: "blackhole" }));
    expect(await wayTo(network, inside)).toBeUndefined();
    await make(deleteRoute(to, MAIN_TABLE));
  });

  test("go one by one, or all of a table", async () => {
    await make(deleteRoute(to, table), deleteRoute(to, table));
    expect(shown()).toMatchObject([{ type: "blackhole" }]);
    await flushTable(network, family, table);
    expect(await tableRoutes(network, family, table)).toEqual([]);
    await flushTable(network, family, table);
  });

  test("a thousand, with what is told of them", async () => {
    const length = family === 4 ? 32 : 128;
    const many = Array.from({ length: 1000 }, (_, index) =>
      prefix(
        `${family === 4 ? `10.0.${index >> 8}.${index & 255}` : `2001:db8::${index.toString(16)}`}/${length}`,
      ),
    );
    await make(...many.map((one) => addRoute({ to: one, table, by: { device: "near" } })));
    expect(await tableRoutes(network, family, table)).toHaveLength(1000);
    await flushTable(network, family, table);
    expect(await tableRoutes(network, family, table)).toEqual([]);
  });
});

test.each<Family>([4, 6])("IPv%i rules are added, seen and deleted", async (family) => {
  const before = await rules(network, family);
  const lookup = { priority: 1000, inDevice: "edge", mark: { value: 1 }, to: 1000 };
  const masked = { priority: 21_575, mark: { value: 0x5440_0000, mask: 0xfff0_0000 }, to: 21_575 };
  const closed = { priority: 2000, inDevice: "edge", to: "blackhole" } as const;
  await make(...[lookup, masked, closed].map((rule) => addRule(family, rule)));
  expect(show("ip", [`-${family}`, "rule", "show"])).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ priority: 1000, iif: "edge", fwmark: "0x1", table: "1000" }),
      expect.objectContaining({
        priority: 21_575,
        fwmark: "0x54400000",
        fwmask: "0xfff00000",
        table: "21575",
      }),
      expect.objectContaining({ priority: 2000, iif: "edge", action: "blackhole" }),
    ]),
  );
  expect(await rules(network, family)).toEqual(
    expect.arrayContaining([
      { priority: 1000, inDevice: "edge", mark: 1, table: 1000, isBlackhole: false },
      { priority: 2000, inDevice: "edge", mark: 0, table: 0, isBlackhole: true },
    ]),
  );
  await make(...[lookup, masked, closed].map((rule) => deleteRule(family, rule)));
  expect(await rules(network, family)).toEqual(before);
});

test("the hook of classifiers is added, seen and deleted", async () => {
  expect(await hasClsact(network, "near")).toBe(false);
  await make(addClsact("near"));
  expect(await hasClsact(network, "near")).toBe(true);
  expect(show("tc", ["qdisc", "show", "dev", "near", "clsact"])).toMatchObject([{ kind: "clsact" }]);
  await make(deleteClsact("near"));
  expect(await hasClsact(network, "near")).toBe(false);
  expect(await hasClsact(network, "gone")).toBe(false);
});

test("what comes behind a request that fails is not done", async () => {
  const failed = await make(
    addAddress({ device: "lo", address: "198.18.0.3", length: 32 }),
    addAddress({ device: "gone", address: "198.18.0.4", length: 32 }),
    addAddress({ device: "lo", address: "198.18.0.5", length: 32 }),
  ).catch((error) => error);
  expect(failed.message).toBe("there is no network device gone");
  expect(await holdersOf(network, "198.18.0.3")).toEqual([1]);
  expect(await holdersOf(network, "198.18.0.5")).toEqual([]);
});
