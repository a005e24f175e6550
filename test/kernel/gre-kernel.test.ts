import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TunnelRow } from "../../runtime/gre/driver.js";
import { kernelGre } from "../../runtime/gre/kernel.js";
import { Loader } from "../../runtime/loader-client.js";

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
