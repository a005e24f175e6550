import { describe, expect, it } from "vitest";
import type { Counters } from "../../examples/lab/counters.js";
import { type Shot, shoot } from "../../examples/lab/journeys/single.js";
import type { Arrivals, EdgeName, Lab } from "../../examples/lab/lab.js";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import type { World } from "../../examples/lab/world.js";
import { analyze } from "../../src/compiler/compile.js";

const POLICY = `
import { allow, drop, expr, gre, policy } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [drop("bogons", expr\`ip.src in {10.0.0.0/8}\`)],
  firewall: { default: "drop", rules: [allow("ftp", expr\`tcp.dstport == 21\`)] },
  tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
});
`;

/** What a kernel did with a packet: where it arrived, with which TTL, and the counters that moved on edge-1. */
interface Kernel {
  readonly at?: string;
  readonly bytes?: Buffer;
  readonly counters: Readonly<Record<string, number>>;
}

const FTP = "tcp 192.0.2.99:1 > 203.0.113.100:21 flags=S";
const SSH = "tcp 192.0.2.99:1 > 203.0.113.100:22 flags=S";
const BOGON = "udp 10.1.2.3:53 > 203.0.113.9:53";
const FOREIGN = "udp 192.0.2.99:1 > 198.18.9.9:9";

const PASSED = { "acme mitigate/default": 1, "acme firewall/ftp": 1 };

/** A lab whose kernel is this one. */
function labWith(kernel: Kernel): { lab: Lab; from: NonNullable<Shot["from"]> } {
  const { policy } = analyze("acme.policy.ts", POLICY);
  if (!policy) throw new Error("the test's policy has mistakes");
  const arrivals = new Map(
    ["acme-ftp", "bystander"].map((host) => [host, { packets: [] as Buffer[], settle: async () => {} }]),
  );
  let counters: Counters = new Map();
  const world: World = {
    host: () => {
      throw new Error("there are no hosts here");
    },
    remove: async () => {},
  };
  const lab: Lab = {
    world,
    policies: [policy],
    found: new Map(),
    arrivals: arrivals satisfies ReadonlyMap<string, Arrivals>,
    counters: async (edge: EdgeName) => (edge === "edge-1" ? counters : new Map()),
  };
  const from: NonNullable<Shot["from"]> = async (_, packet) => {
    counters = new Map(Object.entries(kernel.counters));
    if (kernel.at !== undefined) arrivals.get(kernel.at)?.packets.push(kernel.bytes ?? packet);
  };
  return { lab, from };
}

describe("one packet of a journey", () => {
  it.each<[string, string, Kernel]>([
    ["allowed, arrived, counted", FTP, { at: "acme-ftp", counters: PASSED }],
    [
      "allowed, with a lower TTL",
      FTP,
      { at: "acme-ftp", bytes: packetBytes(`${FTP} ttl=60`), counters: PASSED },
    ],
    [
      "dropped by default",
      SSH,
      { counters: { "acme mitigate/default": 1, "acme firewall/default": 1, "root/dispatched": 1 } },
    ],
    ["dropped by a rule", BOGON, { counters: { "acme mitigate/bogons": 1 } }],
    ["foreign", FOREIGN, { at: "bystander", counters: { "root/foreign": 1 } }],
  ])("agrees when it is %s", async (_, packet, kernel) => {
    const { lab, from } = labWith(kernel);
    expect((await shoot(lab, { packet, from, home: "bystander" })).agrees).toBe(true);
  });

  it.each<[string, string, Kernel]>([
    ["allowed and lost", FTP, { counters: PASSED }],
    ["allowed and changed", FTP, { at: "acme-ftp", bytes: packetBytes(SSH), counters: PASSED }],
    ["allowed and elsewhere", FTP, { at: "bystander", counters: PASSED }],
    ["allowed, not counted", FTP, { at: "acme-ftp", counters: {} }],
    ["allowed, counted twice", FTP, { at: "acme-ftp", counters: { ...PASSED, "acme firewall/ftp": 2 } }],
    ["dropped and arrived", BOGON, { at: "acme-ftp", counters: { "acme mitigate/bogons": 1 } }],
    [
      "dropped by another rule",
      BOGON,
      { counters: { "acme mitigate/default": 1, "acme firewall/default": 1 } },
    ],
    ["dropped as malformed", SSH, { counters: { "root/malformed": 1 } }],
    ["foreign and lost", FOREIGN, { counters: { "root/foreign": 1 } }],
    ["foreign and judged", FOREIGN, { at: "bystander", counters: { "root/foreign": 1, ...PASSED } }],
  ])("does not agree when it is %s", async (_, packet, kernel) => {
    const { lab, from } = labWith(kernel);
    expect((await shoot(lab, { packet, from, home: "bystander" })).agrees).toBe(false);
  });
});
