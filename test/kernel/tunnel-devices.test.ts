import { execFileSync, spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import type { Bundle } from "../../runtime/bundle.js";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { TunnelRow } from "../../runtime/gre/driver.js";
import { kernelGre } from "../../runtime/gre/kernel.js";
import { deviceType } from "../../runtime/gre/text.js";
import { Loader } from "../../runtime/loader-client.js";
import { findLink, linkKind } from "../../runtime/netlink/link.js";
import { inside } from "../../runtime/netlink/network.js";
import type { Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { route } from "../../src/targets/route/target.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { policy, tunnel } from "../support/ir.js";
import { innerOf, splitPacket } from "../support/outer-header.js";
import { outerPacket } from "../support/outer-packets.js";

/**
 * Each kind of tunnel, made of the kernel's device by the driver, altered where it stands, and removed; ip(8) makes the router's
 * end. What the edge puts on the wire is compared with the RFCs, byte by byte. A kernel without such devices has to be refused:
 * `npm run test:vm` asks kernels that have them.
 */

const hasDevices = (await chooseGre()) === "kernel";

const customer = `k${process.pid}`;
const namespaces = {
  edge: `k-edge-${process.pid}`,
  router: `k-router-${process.pid}`,
  site: `tg-${customer}`,
};
const ANYCAST = { 4: "198.18.0.1", 6: "2001:db8:ed6e::1" } as const;
const ROUTER = { 4: "198.51.100.1", 6: "2001:db8:51::1" } as const;
/** Of the customer's namespace, which stands for what sends into a tunnel, and of the far end. */
const NEAR = { 4: "192.0.2.7", 6: "2001:db8:1::7" } as const;
const FAR = { 4: "203.0.113.100", 6: "2001:db8:a::100" } as const;

let loader: Loader;

const ip = (where: keyof typeof namespaces, ...lines: readonly string[]) =>
  execFileSync("ip", ["-n", namespaces[where], "-batch", "-"], { input: lines.join("\n"), encoding: "utf8" });

beforeAll(async () => {
  loader = await Loader.start();
  for (const name of Object.values(namespaces)) execFileSync("ip", ["netns", "add", name]);
  ip(
    "edge",
    `link add up0 type veth peer name eth0 netns ${namespaces.router}`,
    ...[`addr add ${ANYCAST[4]}/32 dev up0`, `addr add ${ANYCAST[6]}/128 dev up0 nodad`],
    ...["addr add 198.51.100.254/24 dev up0", "addr add 2001:db8:51::fe/64 dev up0 nodad", "link set up0 up"],
  );
  ip(
    "router",
    ...[`addr add ${ROUTER[4]}/24 dev eth0`, `addr add ${ROUTER[6]}/64 dev eth0 nodad`, "link set eth0 up"],
    ...["route add 198.18.0.0/24 via 198.51.100.254", "route add 2001:db8:ed6e::/48 via 2001:db8:51::fe"],
    ...["link set lo up", `addr add ${FAR[4]}/32 dev lo`, `addr add ${FAR[6]}/128 dev lo nodad`],
  );
  ip("site", "link set lo up", `addr add ${NEAR[4]}/32 dev lo`, `addr add ${NEAR[6]}/128 dev lo nodad`);
});

afterAll(async () => {
  await loader?.close();
  for (const name of Object.values(namespaces)) spawnSync("ip", ["netns", "del", name]);
});

/** All of a bundle that the driver reads. */
function bundleOf(tunnel: Tunnel): { readonly bundle: Bundle; readonly row: TunnelRow } {
  const of: Policy = { ...policy([]), customer, tunnels: [tunnel] };
  const [row] = tunnels(of);
  if (!row) throw new Error("there is a tunnel");
  const contents = new Map(route.emit(of).map(({ path, text }) => [path, Buffer.from(text)] as const));
  const files = Object.fromEntries([...contents.keys()].map((path) => [path, ""]));
  const manifest = { customer, namespace: namespaces.site, files } as unknown as Bundle["manifest"];
  return { row, bundle: { dir: "", hash: "", release: null, manifest, contents } };
}

/** What ping(8) says of one packet each: of IPv4 without and with "don't fragment", of IPv6; all with DSCP and ECN. */
const PINGS = [`-M dont -t 33 -Q 0x29 ${FAR[4]}`, `-M do -t 34 -Q 0xbb ${FAR[4]}`, `-t 35 -Q 0xba ${FAR[6]}`];

/** The packets that arrive at the router while all are sent; each must be answered. */
async function carried(): Promise<readonly Buffer[]> {
  const filter = `(ip src ${ANYCAST[4]} or ip6 src ${ANYCAST[6]}) and (proto 47 or proto 4 or proto 41 or ip6 proto 4)`;
  const options = ["-i", "eth0", "-Q", "in", "-n", "--immediate-mode", "-U", "-c", `${PINGS.length}`];
  const argv = [`--net=/run/netns/${namespaces.router}`, "tcpdump", ...options, "-w", "-", filter];
  const capture = spawn("nsenter", argv, { stdio: ["ignore", "pipe", "pipe"] });
  const reader = new PcapReader();
  capture.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
  await new Promise((resolve) => capture.stderr.once("data", resolve));
  const ended = new Promise((resolve) => capture.once("close", resolve));
  for (const one of PINGS) {
    const source = one.includes(":") ? NEAR[6] : NEAR[4];
    const ping = ["ip", "netns", "exec", namespaces.site, "ping", "-n", "-c", "1", "-W", "20", "-I", source];
    const { stdout } = spawnSync(ping[0] ?? "", [...ping.slice(1), ...one.split(" ")], { encoding: "utf8" });
    expect(stdout).toContain("1 received");
  }
  await ended;
  return reader.packets;
}

/** The same tunnel's other end, by ip(8). */
function addFarEnd(type: string, outer: 4 | 6, key: number | null): void {
  const ends = `local ${ROUTER[outer]} remote ${ANYCAST[outer]}`;
  const way = outer === 6 ? "hoplimit 64 encaplimit none" : "ttl 64";
  const keyed = key === null ? "" : ` key ${key}`;
  ip(
    "router",
    `link add far type ${type} ${ends} ${way}${keyed}`,
    ...[
      // In one request it would be brought up first, and have an address that speaks up.
      ...["link set far addrgenmode none", "link set far up"],
      `route add ${NEAR[4]} dev far src ${FAR[4]}`,
      `route add ${NEAR[6]} dev far`,
    ],
  );
}

type Parameters = Pick<Tunnel, "ttl" | "dscp" | "df" | "mtu">;

const OWN: Parameters = { ttl: 61, dscp: 46, df: "set", mtu: 1400 };
const INHERITED: Parameters = { ttl: "inherit", dscp: "inherit", df: "inherit", mtu: 1392 };

const KINDS = [
  ["gre", "gre", 4, null],
  ["gre", "gre", 4, 7],
  ["gre", "ip6gre", 6, null],
  ["gre", "ip6gre", 6, 7],
  ["ipip", "sit mode any", 4, null],
  ["ipip", "ip6tnl mode any", 6, null],
] as const;

/** As the runtime asks for it, in the namespace that stands for the node's. */
function partOf(tunnel: Tunnel, outer: 4 | 6) {
  const { bundle, row } = bundleOf(tunnel);
  return kernelGre(inside({ loader }, namespaces.edge)).tunnel(bundle, row, ANYCAST[outer]);
}

test.each(hasDevices ? [] : KINDS)(
  "%s: a kernel without %s over IPv%i is refused, key %s",
  async (kind, type, outer, key) => {
    const part = partOf(tunnel("chicago", ROUTER[outer], { kind, key, ...OWN }), outer);
    await expect(part.up()).rejects.toThrow(`type ${type.split(" ")[0]} local ${ANYCAST[outer]}`);
    expect(await part.present()).toBe(false);
  },
);

test.each(KINDS)(
  "%s: a device that is no %s over IPv%i is left alone by a change, key %s",
  async (kind, type, outer, key) => {
    const made = tunnel("chicago", ROUTER[outer], { kind, key, ...OWN });
    const { bundle, row } = bundleOf(made);
    const part = partOf(made, outer);
    const device = async () => (await linkKind(inside({ loader }, namespaces.site), row.device))?.kind;
    expect(deviceType(row)).toBe(type.split(" ")[0]);
    ip("site", `link add ${row.device} type bridge`);
    expect(await part.present()).toBe(false);
    const driver = kernelGre(inside({ loader }, namespaces.edge));
    await driver.alter(bundle, row, ANYCAST[outer], { row, anycast: ANYCAST[outer] });
    expect(await device()).toBe("bridge");
    // Before it is made anew, as the change goes on.
    await part.down();
    expect(await device()).toBeUndefined();
  },
);

describe.each(hasDevices ? KINDS : [])("%s: the kernel's %s over IPv%i, key %s", (kind, type, outer, key) => {
  const made = tunnel("chicago", ROUTER[outer], { kind, key, ...OWN });
  const changes: readonly (readonly [string, Tunnel])[] = [
    ["all inherited", { ...made, ...INHERITED, df: outer === 6 ? "set" : "inherit" }],
    ["another TTL and DSCP", { ...made, ttl: 9, dscp: 10 }],
    ["as it was made", made],
  ];
  const driver = () => kernelGre(inside({ loader }, namespaces.edge));
  const part = (of: Tunnel) => partOf(of, outer);
  const link = (of: Tunnel) => findLink(inside({ loader }, namespaces.site), bundleOf(of).row.device);
  const ends = { source: ANYCAST[outer], destination: ROUTER[outer] };

  beforeAll(() => {
    addFarEnd(type, outer, key);
  });

  afterAll(async () => {
    ip("router", "link del far");
    await part(made).down();
  });

  /** Sends, and compares what arrives at the router with the RFCs. */
  const expectOnTheWire = async (of: Tunnel) => {
    const packets = (await carried()).map((packet) => splitPacket(packet, of));
    // They came out of the customer's stack as ping(8) was told.
    expect(packets.map(({ inner }) => innerOf(inner))).toMatchObject([
      { ttl: 33, tos: 0x29, df: false },
      { ttl: 34, tos: 0xbb, df: true },
      { ttl: 35, tos: 0xba },
    ]);
    for (const { header, inner } of packets) {
      const expected = splitPacket(outerPacket(inner, of, ends), of).header;
      expect(header.toString("hex")).toBe(expected.toString("hex"));
    }
  };

  test("is made, and carries both families", async () => {
    expect(await part(made).present()).toBe(false);
    await part(made).up();
    expect(await part(made).present()).toBe(true);
    const { device } = bundleOf(made).row;
    ip("site", `route replace ${FAR[4]} dev ${device}`, `route replace ${FAR[6]} dev ${device}`);
    await expectOnTheWire(made);
  });

  test.each(changes)("%s: altered where it stands", async (_name, of) => {
    const found = await link(made);
    const { bundle, row } = bundleOf(of);
    await driver().alter(bundle, row, ANYCAST[outer], { row: bundleOf(made).row, anycast: ANYCAST[outer] });
    expect(await link(made)).toEqual({ ...found, mtu: of.mtu, mtu6: of.mtu });
    expect(ip("site", `link show ${row.device}`)).toContain(` mtu ${of.mtu} `);
    await expectOnTheWire(of);
  });

  test("counts what it sent and received, and is gone when it is removed", async () => {
    const { row } = bundleOf(made);
    const { sent, received, dropped } = await driver().traffic({ namespace: namespaces.site }, row);
    const packets = PINGS.length * (1 + changes.length);
    expect({ sent: sent.packets, received: received.packets, dropped: dropped.packets }).toEqual({
      ...{ sent: packets, received: packets, dropped: 0 },
    });
    await part(made).down();
    expect(await link(made)).toBeUndefined();
  });
});
