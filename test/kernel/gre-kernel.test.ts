import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { TunnelRow } from "../../runtime/gre/driver.js";
import { kernelGre } from "../../runtime/gre/kernel.js";
import { Loader } from "../../runtime/loader-client.js";
import { deleteLink } from "../../runtime/netlink/link.js";
import { perform } from "../../runtime/netlink/perform.js";
import { addTunnel, changeTunnel, isTunnel, type TunnelDevice } from "../../runtime/netlink/tunnel.js";

/** What the driver of GRE devices tells of a device: any sort of it, so that kernels without GRE run this too. */

const namespace = `k-customer-${process.pid}`;

let loader: Loader;

beforeAll(async () => {
  loader = await Loader.start();
  execFileSync("ip", ["netns", "add", namespace]);
  execFileSync("ip", ["-n", namespace, "link", "set", "lo", "up"]);
});

afterAll(async () => {
  await loader.close();
  execFileSync("ip", ["netns", "del", namespace]);
});

const row = (device: string): TunnelRow => ({
  ...{ name: "chicago", device, peer: "tg-acme-chicago", remote: "198.51.100.1" },
  ...{ kind: "gre", ttl: 64, mtu: 1476, key: null, dscp: "inherit", df: "set" },
});

const none = { packets: 0, bytes: 0 };

test("counts what the device sent and received", async () => {
  // To a closed port: a datagram, and the ICMP error that answers it.
  const send = "echo x > /dev/udp/127.0.0.1/9";
  execFileSync("ip", ["netns", "exec", namespace, "bash", "-c", send]);
  const traffic = await kernelGre({ loader }).traffic({ namespace }, row("lo"));
  expect(traffic.sent.packets).toBe(2);
  expect(traffic).toEqual({ sent: traffic.sent, received: traffic.sent, dropped: none });
});

test.each([
  ["a device", namespace, "gre-chicago"],
  ["a namespace", `${namespace}-gone`, "lo"],
])("%s that is missing has no traffic", async (_name, missing, device) => {
  expect(await kernelGre({ loader }).traffic({ namespace: missing }, row(device))).toEqual({
    sent: none,
    received: none,
    dropped: none,
  });
});

const ends4 = { local: "198.18.0.1", remote: "198.51.100.1" };
const ends6 = { local: "2001:db8:ed6e::1", remote: "2001:db8:ffff::1" };
const header = { ttl: 64, trafficClass: "inherit", inheritDf: false, key: null } as const;

/** A device of each type, and other parameters that one of this name can have. */
const DEVICES: readonly {
  readonly first: TunnelDevice;
  readonly others: readonly Partial<TunnelDevice>[];
}[] = [
  {
    first: { ...ends4, ...header, name: "four", type: "gre", key: 7 },
    others: [
      { local: "198.18.0.2" },
      { remote: "198.51.100.2" },
      { key: 8 },
      { key: null },
      { ttl: "inherit", inheritDf: true },
      { trafficClass: 0xb8 },
      { ttl: "inherit", inheritDf: true, trafficClass: 0 },
    ],
  },
  {
    first: { ...ends6, ...header, name: "six", type: "ip6gre" },
    others: [
      { local: "2001:db8:ed6e::2" },
      { key: 4_294_967_295 },
      { ttl: "inherit" },
      { trafficClass: 0xb8 },
    ],
  },
  {
    first: { ...ends4, ...header, name: "any4", type: "sit" },
    others: [{ local: "198.18.0.2" }, { ttl: 255, trafficClass: 0 }, { ttl: "inherit", inheritDf: true }],
  },
  {
    first: { ...ends6, ...header, name: "any6", type: "ip6tnl" },
    others: [{ remote: "2001:db8:ffff::2" }, { ttl: 1 }, { trafficClass: 0 }],
  },
];

const hasDevices = (await chooseGre()) === "kernel";

test.each(hasDevices ? [] : DEVICES)(
  "$first.type: a kernel without such devices is refused, by name",
  async ({ first }) => {
    const network = { loader, namespace };
    await expect(perform(network, [addTunnel(first)])).rejects.toThrow(first.name);
    expect(await isTunnel(network, first)).toBe(false);
  },
);

test.each(hasDevices ? DEVICES : [])(
  "$first.type: is told from what it was, and from what it was not",
  async (row) => {
    const network = { loader, namespace };
    let before = row.first;
    expect(await isTunnel(network, before)).toBe(false);
    await perform(network, [addTunnel(before)]);
    expect(await isTunnel(network, before)).toBe(true);
    for (const changes of row.others) {
      const now = { ...row.first, ...changes };
      await perform(network, [changeTunnel(now)]);
      expect(await isTunnel(network, now)).toBe(true);
      expect(await isTunnel(network, before)).toBe(false);
      before = now;
    }
    await deleteLink(network, before.name);
    expect(await isTunnel(network, before)).toBe(false);
  },
);
