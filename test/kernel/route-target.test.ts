import { execFileSync, spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { route } from "../../src/targets/route/target.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { policy, spanAt, tunnel } from "../support/ir.js";

/** The ip(8) texts as the runtime runs them, in namespaces of the test's own. */

const NODE = `n-node-${process.pid}`;
/** As long as ip(8) takes any name, the text can say this one instead of the customer's. */
const CUSTOMER = `n-customer-${process.pid}`;
const TABLE = "1000";

beforeEach(() => {
  for (const name of [NODE, CUSTOMER]) execFileSync("ip", ["netns", "add", name]);
});

afterEach(() => {
  for (const name of [NODE, CUSTOMER]) execFileSync("ip", ["netns", "del", name]);
});

const span = spanAt(1);

function acme(mtu: number): Policy {
  const prefixes = ["203.0.113.0/24", "203.0.113.128/25", ...(mtu < 1280 ? [] : ["2001:db8::/32"])];
  const routes = prefixes.flatMap((text) => {
    const parsed = parsePrefix(text);
    if (parsed.kind !== "prefix") return [];
    return [{ prefix: parsed.prefix, tunnel: "chicago", priority: 0, weight: 1, span }];
  });
  return { ...policy([]), tunnels: [tunnel("chicago", "198.51.100.1", { mtu, key: 7 })], routes };
}

const { device: DEVICE = "", peer: PEER = "" } = tunnels(acme(1476))[0] ?? {};

function text(policy: Policy, file: string): string {
  const artifact = route.emit(policy).find(({ path }) => path === `route/${file}`);
  if (!artifact) throw new Error(`no ${file}`);
  return artifact.text
    .replaceAll("tg-acme ", `${CUSTOMER} `)
    .replaceAll("$anycast4", "192.0.2.1")
    .replaceAll("$table", TABLE);
}

function ip(namespace: string, args: readonly string[], input = ""): string {
  return execFileSync("ip", ["-n", namespace, ...args], { input, encoding: "utf8" });
}

test.each([1476, 576])("makes the veth tunnel and the table, with an MTU of %d", (mtu) => {
  const tested = acme(mtu);
  ip(NODE, ["-batch", "-"], text(tested, "acme.chicago.veth.ip"));
  ip(CUSTOMER, ["-batch", "-"], text(tested, "acme.chicago.up.ip"));
  ip(CUSTOMER, ["-batch", "-"], text(tested, "acme.ip"));

  const [device] = JSON.parse(ip(CUSTOMER, ["-j", "addr", "show", "dev", DEVICE]));
  expect(device).toMatchObject({ mtu, operstate: "UP", address: "02:54:47:00:00:02", addr_info: [] });
  expect(device.flags).toContain("NOARP");
  const [peer] = JSON.parse(ip(NODE, ["-j", "addr", "show", "dev", PEER]));
  expect(peer).toMatchObject({ mtu, address: "02:54:47:00:00:01", addr_info: [] });

  const table = (family: string): readonly { readonly dst: string }[] => {
    const routes: { dst: string }[] = JSON.parse(
      ip(CUSTOMER, [family, "-j", "route", "show", "table", TABLE]),
    );
    return routes.sort((a, b) => (a.dst < b.dst ? -1 : 1));
  };
  expect(table("-4")).toMatchObject([
    { dst: "203.0.113.0/24", dev: DEVICE, metric: 1 },
    { dst: "203.0.113.128/25", dev: DEVICE, metric: 1 },
    { type: "blackhole", dst: "default", metric: 4294967295 },
  ]);
  expect(table("-6")).toMatchObject([
    ...(mtu < 1280 ? [] : [{ dst: "2001:db8::/32", dev: DEVICE, metric: 1 }]),
    { type: "blackhole", dst: "default", metric: 4294967295 },
  ]);
});

test("ip(8) and the kernel take the GRE tunnel, as far as the kernel has GRE", () => {
  const made = spawnSync("ip", ["-n", NODE, "-batch", "-"], {
    input: text(acme(1476), "acme.chicago.gre.ip"),
    encoding: "utf8",
  });
  if (made.status !== 0) {
    expect(made.stderr).toContain("Unknown device type");
    expect(made.stderr).toContain("Command failed -:2");
    return;
  }
  const [device] = JSON.parse(ip(CUSTOMER, ["-d", "-j", "link", "show", "dev", DEVICE]));
  expect(device.linkinfo).toMatchObject({
    info_kind: "gre",
    info_data: { local: "192.0.2.1", remote: "198.51.100.1", ttl: 64, tos: "inherit", pmtudisc: true },
  });
});
