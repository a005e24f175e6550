import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Capture } from "../../examples/lab/packets/capture.js";
import { packetBytes, sameButTtl, ttl } from "../../examples/lab/packets/packet.js";
import { send } from "../../examples/lab/packets/send.js";
import { BYSTANDER, coreMac, TOPOLOGY } from "../../examples/lab/topology.js";
import { makeWorld, type World } from "../../examples/lab/world.js";

describe("the lab's world", () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(TOPOLOGY);
  });
  afterAll(() => world.remove());

  it.each([
    ["the host behind edge-1", "bystander", "eth0", `udp 192.0.2.99:1 > ${BYSTANDER}:2 payload=01`, 2],
    ["edge-2 by IPv6", "edge-2", "uplink0", "udp [2001:db8:66::9]:1 > [2001:db8:ed6e::2]:2 payload=02", 1],
    ["edge-1 for acme's prefix", "edge-1", "uplink0", "udp 10.1.2.3:1 > 203.0.113.9:2 payload=03", 1],
    [
      "edge-2 for the anycast address",
      "edge-2",
      "uplink0",
      "proto=47 198.51.100.1 > 198.18.0.1 payload=00",
      1,
    ],
    ["acme's router", "acme-router", "eth0", "udp 192.0.2.99:1 > 198.51.100.1:2 payload=05", 1],
  ])("packets reach %s as they were sent", async (_, host, device, text, hops) => {
    const capture = await Capture.start(world.host(host), device, "ip or ip6");
    const packet = packetBytes(text);
    await send(world.host("attacker"), "eth0", coreMac("attacker"), [packet]);
    const arrived = await capture.waitFor((seen) => sameButTtl(seen, packet), 0, 2000);
    await capture.stop();
    expect(arrived && ttl(arrived)).toBe(64 - hops);
  });

  it("gives each host its own /run and its own devices", async () => {
    await world.host("edge-1").run(["ip", "netns", "add", "tg-acme"]);
    expect(await world.host("edge-1").run(["ls", "/run/netns"])).toBe("tg-acme\n");
    expect(await world.host("edge-2").run(["ls", "/run/netns"])).toBe("");
    expect(await world.host("edge-1").run(["ls", "/sys/class/net"])).toBe("lan0\nlo\nuplink0\n");
  });

  it("sends at the rate that was asked for", async () => {
    const packet = packetBytes("udp 192.0.2.99:1 > 198.18.255.1:9");
    const sent = await send(world.host("attacker"), "eth0", coreMac("attacker"), [packet], {
      pace: { count: 2000, rate: 10_000 },
    });
    expect(sent.sent).toBe(2000);
    expect(sent.nanoseconds).toBeGreaterThan(0.19e9);
  });
});

describe("removing the lab", () => {
  it("ends every process that it started", async () => {
    const world = await makeWorld(TOPOLOGY);
    const pids = TOPOLOGY.hosts.map(({ name }) => world.host(name).pid);
    const sleeper = world.host("client").start(["sleep", "600"]);
    await world.remove();
    expect([...pids, sleeper.pid].filter(isAlive)).toEqual([]);
  });

  it("happens by itself when the process that made it is killed", async () => {
    const script = `
      const { Host } = await import("${new URL("../../dist/examples/lab/host.js", import.meta.url)}");
      const host = await Host.boot("lonely", []);
      const sleeper = host.start(["sleep", "600"]);
      console.log(JSON.stringify([host.pid, sleeper.pid]));`;
    const maker = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const pids: number[] = await new Promise((resolve) => {
      maker.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString())));
    });
    expect(pids.every(isAlive)).toBe(true);
    maker.kill("SIGKILL");
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });

  it("leaves nothing of a world that could not be made", async () => {
    const link = TOPOLOGY.links[0];
    const broken = { ...TOPOLOGY, links: link ? [link, link] : [] };
    await expect(makeWorld(broken)).rejects.toThrow(/File exists/);
  });
});

function isAlive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}
