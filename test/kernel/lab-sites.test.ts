import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Capture } from "../../examples/lab/packets/capture.js";
import { packetBytes, sameButTtl } from "../../examples/lab/packets/packet.js";
import { send } from "../../examples/lab/packets/send.js";
import { connectSite, PEER_MAC, SITE_DEVICE } from "../../examples/lab/sites.js";
import { ANYCAST, coreMac, SITES, type Site, TOPOLOGY } from "../../examples/lab/topology.js";
import { makeWorld, type World } from "../../examples/lab/world.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { tunnel } from "../support/ir.js";

function tunnelTo(site: Site, key: number | null): Tunnel {
  const address = site.customer === "acme" ? "198.51.100.1" : "198.51.100.2";
  return tunnel(site.tunnel, address, { mtu: 1472, key });
}

/** Outer IPv4 header, GRE header with flags, key: RFC 2784, RFC 2890. */
function outerOf(packet: Buffer): object {
  return {
    source: packet.subarray(12, 16).join("."),
    protocol: packet.readUInt8(9),
    gre: packet.subarray(20, packet.readUInt16BE(20) === 0x2000 ? 28 : 24).toString("hex"),
  };
}

describe("a customer's end of a tunnel", () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(TOPOLOGY);
  });
  afterAll(() => world.remove());

  it.each([
    [
      "without a key, IPv4",
      0,
      null,
      "udp 203.0.113.100:1 > 192.0.2.7:2 payload=0102",
      { source: "198.51.100.1", protocol: 47, gre: "00000800" },
    ],
    [
      "with a key, IPv6",
      1,
      7,
      "udp [2001:db8:60b::80]:1 > [2001:db8::7]:2 payload=0102",
      { source: "198.51.100.2", protocol: 47, gre: "200086dd00000007" },
    ],
  ])("carries packets both ways: %s", async (_, index, key, text, outer) => {
    const site = SITES[index] as Site;
    await connectSite(world, site, tunnelTo(site, key));
    const inner = packetBytes(text);

    const atEdge = await Capture.start(world.host("edge-2"), "uplink0", "proto 47");
    await send(world.host(site.host), SITE_DEVICE, PEER_MAC, [inner]);
    const carried = await atEdge.waitFor(() => true, 0, 2000);
    await atEdge.stop();
    if (!carried) throw new Error("nothing came to the anycast address");
    expect(outerOf(carried)).toEqual(outer);
    expect(sameButTtl(carried.subarray(key === null ? 24 : 28), inner)).toBe(true);

    // The same bytes the other way: addresses of the outer header changed places.
    const atSite = await Capture.start(world.host(site.host), SITE_DEVICE, "ip or ip6");
    const back = Buffer.from(carried);
    carried.copy(back, 12, 16, 20);
    carried.copy(back, 16, 12, 16);
    expect(back.subarray(12, 16).join(".")).toBe(ANYCAST);
    await send(world.host("edge-2"), "uplink0", coreMac("edge-2"), [back]);
    const arrived = await atSite.waitFor((seen) => sameButTtl(seen, inner), 0, 2000);
    await atSite.stop();
    expect(arrived).toBeDefined();
  });
});
