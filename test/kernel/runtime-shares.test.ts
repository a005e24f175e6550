import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, endsOf, FTP, FTP6, NODE } from "../support/acme-edge.js";
import { PATIENCE } from "../support/patience.js";

/** Tunnels that share the packets of a prefix: by weight, flow by flow, and what becomes of the flows when one goes. */

const KEYS = { chicago: 7, dallas: 9, erie: 11 } as const;
type Name = keyof typeof KEYS;

function sharing(weights: Partial<Record<Name, number>>, prefixes = 2): Policy {
  const shares = Object.entries(weights) as [Name, number][];
  return acme({
    mitigate: [],
    firewall: { default: "allow", rules: [], stateful: false, offload: "auto" },
    prefixes: acme().prefixes.slice(0, prefixes),
    tunnels: shares.map(([name]) => ({ ...CHICAGO, name, key: KEYS[name] })),
    routes: acme()
      .routes.slice(0, prefixes)
      .flatMap((route) => shares.map(([tunnel, weight]) => ({ ...route, tunnel, weight }))),
  });
}

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  // The router has no end for these tunnels, and is not to say so to the edge.
  const drop = "add table ip t; add chain ip t c { type filter hook prerouting priority -300; }";
  edge.server.run(["nft", `${drop}; add rule ip t c ip protocol 47 drop`], { namespace: "router" });
});

afterAll(async () => {
  await edge?.server.end();
});

/** Always the same chance, where the kernel lets its seed be chosen (6.11). */
function fixSeed(): void {
  const seed =
    "test ! -e /proc/sys/net/ipv4/fib_multipath_hash_seed || sysctl -qw net.ipv4.fib_multipath_hash_seed=7";
  edge.server.run(["sh", "-c", seed], { namespace: "tg-acme" });
}

function apply(name: string, policy: Policy): Promise<{ readonly drift: readonly string[] }> {
  return edge.server.apply(edge.bundle(name, policy), NODE) as never;
}

type Family = "IPv4" | "IPv6";

/** A packet of each flow: of TCP with its own source port. */
function flows(family: Family, count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const [host, port] = [1 + Math.floor(index / 4000), 1024 + (index % 4000)];
    return packetBytes(
      family === "IPv4"
        ? `tcp 192.0.2.${host}:${port} > ${FTP}:80 flags=S`
        : `tcp [2001:db8:1::${host}]:${port} > [${FTP6}]:80 flags=S`,
    );
  });
}

/** As many as the sender takes at a time. */
const AT_ONCE = 4000;

function send(packets: readonly Buffer[]): void {
  const [{ address: mac = "" } = {}] = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"])) as [
    { address?: string },
  ];
  for (let at = 0; at < packets.length; at += AT_ONCE) {
    const batch = packets.slice(at, at + AT_ONCE);
    const wire = [join(packageRoot(), "dist/examples/lab/wire"), "eth0", mac, `${batch.length}`, "40000"];
    const [command, ...args] = edge.server.enter(wire, "client");
    const input = Buffer.concat(batch.flatMap((packet) => [u32(packet.length), packet]));
    execFileSync(command, args, { input });
  }
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

/** Packets that each tunnel has sent. */
async function sent(): Promise<Readonly<Record<string, number>>> {
  const { customers } = await edge.server.status();
  const { tunnels } = customers[0] as { tunnels: { name: string; sent: { packets: number } }[] };
  return Object.fromEntries(tunnels.map((one) => [one.name, one.sent.packets]));
}

describe("two tunnels, three to one", () => {
  const FLOWS = 12_000;

  beforeAll(async () => {
    await apply("three-to-one", sharing({ chicago: 3, dallas: 1 }));
    fixSeed();
  });

  test.each(["IPv4", "IPv6"] as const)(
    "flows of %s spread as the weights say",
    async (family) => {
      const before = await sent();
      send(flows(family, FLOWS));
      const after = await sent();
      const share = (name: Name) => ((after[name] ?? 0) - (before[name] ?? 0)) / FLOWS;
      expect(share("chicago") + share("dallas")).toBe(1);
      expect(share("dallas")).toBeGreaterThan(0.25 * 0.95);
      expect(share("dallas")).toBeLessThan(0.25 * 1.05);
    },
    30_000,
  );
});

describe("three tunnels", () => {
  const FLOWS = 300;
  const all = sharing({ chicago: 1, dallas: 1, erie: 1 });

  beforeEach(async () => {
    await apply("three", all);
    fixSeed();
  });

  /** The key of the tunnel that each flow takes, in the order of `flows`. */
  async function ways(family: Family): Promise<readonly string[]> {
    const file = join(edge.server.folder, "ways.pcap");
    const capture = ["tcpdump", "-i", "eth0", "-U", "-w", file, "-c", `${FLOWS}`, "ip proto 47"];
    // One packet less, and it would wait for ever.
    const [command, ...args] = edge.server.enter(["timeout", `${20 * PATIENCE}`, ...capture], "router");
    const tcpdump = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    send(flows(family, FLOWS));
    await ended;
    const fields = ["-T", "fields", "-e", "tcp.srcport", "-e", "gre.key"];
    const lines = edge.server
      .run(["tshark", "-r", file, ...fields])
      .trim()
      .split("\n");
    const pairs = lines.map((line) => line.split("\t"));
    return pairs.sort(([a], [b]) => Number(a) - Number(b)).map(([, key]) => `${Number(key)}`);
  }

  test("a change of the policy moves no flow", async () => {
    const before = [await ways("IPv4"), await ways("IPv6")];
    for (const keys of before) expect(new Set(keys)).toEqual(new Set(["7", "9", "11"]));
    await apply("other-rules", { ...all, firewall: { ...all.firewall, rules: acme().firewall.rules } });
    expect([await ways("IPv4"), await ways("IPv6")]).toEqual(before);
  });

  test("when a tunnel goes its flows move, and those of others stay; mended it has them again", async () => {
    const before = await ways("IPv4");
    edge.server.ip([`link del dev ${endsOf("erie", all).device}`], "tg-acme");
    const meanwhile = await ways("IPv4");
    expect(meanwhile.filter((key) => key === "11")).toEqual([]);
    const stayed = before.map((key, index) => key === "11" || key === meanwhile[index]);
    expect(stayed.every(Boolean)).toBe(true);

    const { customers } = await edge.server.status();
    expect(customers[0].drift).toEqual(expect.arrayContaining(["tunnel erie", "routing table"]));
    const { drift } = await apply("three", all);
    expect(drift).toContain("routing table");
    expect(await ways("IPv4")).toEqual(before);
  });
});

test("nexthops of generations that are gone are gone", async () => {
  const ids = () => {
    const all = JSON.parse(
      edge.server.run(["ip", "-j", "nexthop", "show"], { namespace: "tg-acme" }) || "[]",
    );
    return (all as { id: number }[]).map(({ id }) => id);
  };
  await apply("two", sharing({ chicago: 1, dallas: 2 }));
  expect(ids().length).toBe(6);
  await apply("again", sharing({ chicago: 2, dallas: 2 }));
  expect(ids().length).toBe(6);
  await apply("alone", sharing({ chicago: 1 }));
  expect(ids()).toEqual([]);
});
