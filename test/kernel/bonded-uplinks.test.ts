import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, NODE } from "../support/acme-edge.js";
import { EdgeServer } from "../support/edge-server.js";
import { UPLINKS } from "../support/uplink-rows.js";

/** Uplinks that are bonds (Documentation/networking/bonding), whose XDP runs on their members. */

/** What ip(8) says of a bond; empty: it makes one. */
async function whyNone(): Promise<string> {
  const server = await EdgeServer.start();
  try {
    return server.run(["sh", "-c", "ip link add bond9 type bond 2>&1 || true"]).trim();
  } finally {
    await server.end();
  }
}

const WHY_NONE = await whyNone();

test.each(WHY_NONE === "" ? [] : [WHY_NONE])(
  "this kernel has no bonds, and nothing else is amiss: %s",
  (why) => {
    expect(why).toBe("Error: Unknown device type.");
  },
);

describe.each(WHY_NONE === "" ? ["bonds"] : [])("a kernel with %s", () => {
  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start({ bonded: true });
    const { server } = edge;
    // As network cards do it: checksums are written before a frame leaves, and the far end takes frames from XDP.
    server.run(["ethtool", "-K", "eth0", "tx", "off"], { namespace: "client" });
    for (const namespace of ["client", "router"])
      server.run(["ethtool", "-K", "eth0", "gro", "on"], { namespace });
    const settings = ["all", "up0", "up1"].map((one) => `net.ipv4.conf.${one}.rp_filter=0`);
    server.run(["sysctl", "-q", "-w", ...settings]);
    await server.apply(edge.bundle("xdp", sending()), NODE);
  });

  afterAll(() => edge?.server.end());

  function sending(): Policy {
    const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
    return acme({ datapath: "xdp", firewall });
  }

  test("all goes by the namespace, and status says why", async () => {
    const { node } = await edge.server.status();
    expect(node).toMatchObject({ slow: "up0 is a bond", drift: [] });
    expect(node.uplinks).toEqual(NODE.uplinks.map((device) => ({ device, xdp: "native" })));
    expect(JSON.parse(edge.server.run(["bpftool", "-j", "map", "dump", "pinned", UPLINKS]))).toEqual([]);
    const site = await edge.start(
      "site",
      `const s = require("dgram").createSocket("udp4");
       const seen = [];
       s.on("message", (m) => { if (seen.push(Number(m)) === 50) console.log(JSON.stringify(seen)); });
       s.bind(53, "${FTP}", () => console.log("up"));`,
    );
    edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       let next = 0;
       const more = () => next < 50 ? s.send(String(next++), 53, "${FTP}", () => setTimeout(more, 5)) : s.close();
       s.bind({ address: "192.0.2.7", port: 4000 }, more);`,
    );
    const tunnel = async () => (await edge.server.status()).customers[0].tunnels[0];
    await expect.poll(async () => (await tunnel()).sent.packets, { timeout: 10_000 }).toBe(50);
    expect((await tunnel()).fromXdp.packets).toBe(0);
    expect(JSON.parse((await site.end()).split("\n")[1] ?? "")).toEqual(numbers(50));
  });

  test("what XDP drops is dropped on a member", async () => {
    const dropped = async () => (await edge.server.status()).customers[0].counters.mitigate["bogons"].packets;
    edge.sendUdp("client", "10.1.2.3", FTP);
    expect(await dropped()).toBe(1);
  });
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
