import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE, type RunningScript } from "../support/acme-edge.js";
import { addNarrowPath, setPath } from "../support/narrow-path.js";
import { PATIENCE } from "../support/patience.js";

/**
 * Our GRE in BPF at both ends, and routers between them that cut up what is too long for the link between those: packets outside may
 * be (`df: "inherit"`, and nothing inside says otherwise). outer-pieces.test.ts has the pieces one by one.
 */

const CLIENT = { 4: "192.0.2.7", 6: "2001:db8:1::7" } as const;
const MEGABYTES = PATIENCE > 1 ? 1 : 3;

describe("GRE over a path that cuts it up", () => {
  const through: Tunnel = { ...CHICAGO, key: 7, mtu: 1400, df: "inherit" };
  let edge: AcmeEdge;
  let echo: RunningScript;

  beforeAll(async () => {
    edge = await AcmeEdge.start({ tunnel: through, noGreDevices: true });
    addNarrowPath(edge);
    setPath(edge, { path: 1000, inner: 1500 });
    for (const namespace of ["client", "site"])
      edge.server.run(["sysctl", "-qw", "net.ipv4.ip_no_pmtu_disc=1"], { namespace });
    const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
    await edge.server.apply(edge.bundle("open", acme({ firewall, tunnels: [through] })), NODE);
    echo = await edge.startEcho();
  });

  afterAll(async () => {
    await echo?.end();
    await edge?.server.end();
  });

  /** Pieces that a router has made of packets. */
  const pieces = (namespace: string) => {
    const shown = edge.server.run(["nstat", "-asz", "IpFragCreates"], { namespace });
    return Number(/IpFragCreates\s+(\d+)/.exec(shown)?.[1]);
  };

  test.each([
    ["client", FTP],
    ["client", FTP6],
    ["site", CLIENT[4]],
    ["site", `-I ${FTP6} ${CLIENT[6]}`],
  ])("what is longer than the link between arrives, from the %s to %s", (from, to) => {
    const before = pieces("near") + pieces("far");
    const length = to.includes(":") ? 1232 : 1372;
    const shown = edge.server.run(
      ["ping", "-n", "-c", "3", "-i", "0.01", "-M", "dont", "-s", `${length}`, ...to.split(" ")],
      {
        namespace: from,
      },
    );
    expect(shown).toContain("3 received");
    expect(pieces("near") + pieces("far") - before).toBe(12);
  });

  test(`${MEGABYTES} MB of TCP there and back`, () => {
    const before = pieces("near") + pieces("far");
    const said = edge.script(
      "client",
      `const { createHash, randomBytes } = require("crypto");
       const bytes = randomBytes(${MEGABYTES}e6), hash = createHash("sha256");
       const socket = require("net").connect(21, "${FTP}", () => socket.end(bytes));
       socket.setTimeout(${15_000 * PATIENCE}, () => socket.destroy(new Error("it stalled")));
       socket.on("data", (chunk) => hash.update(chunk));
       socket.on("end", () => {
         const same = createHash("sha256").update(bytes).digest("hex") === hash.digest("hex");
         console.log(same ? "the same" : "other bytes");
       });`,
    );
    expect(said).toBe("the same\n");
    expect(pieces("near") + pieces("far") - before).toBeGreaterThan((2 * 2 * MEGABYTES * 1e6) / 1500);
  });

  test("and all of it was put together: none was lost or left alone", async () => {
    const { node, customers } = await edge.server.status();
    expect(node.greLeftAlone.fragment.packets).toBe(0);
    expect(customers[0].tunnels).toMatchObject([{ driver: "ebpf", dropped: { packets: 0 } }]);
    expect(customers[0].tunnels[0].received.bytes).toBeGreaterThan(MEGABYTES * 1e6);
  });
});
