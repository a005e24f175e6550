import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { AcmeEdge, acme, NODE } from "../support/acme-edge.js";
import { anyGated, fromPort, type Gated, gatedPackets } from "../support/gated-packets.js";
import { number, rule } from "../support/ir.js";

/**
 * Where the kernel of a whole edge server drops packets, whatever the policy says: gateOf() against a client's packets
 * that come in by the uplink, pass the node's forwarding and meet the firewall. Every packet has its own source port.
 */
const WIRE = join(packageRoot(), "dist/examples/lab/wire");
const SEED = Number(process.env["TIDEGATE_DIFF_SEED"] ?? 20_261_122);

const sees64 = rule("sees-64", { kind: "count" }, number("ip4.ttl", 64));
const sees6 = rule("sees-6", { kind: "count" }, number("ip6.hop_limit", 6));
const policy = acme({
  firewall: { default: "allow", rules: [sees64, sees6], stateful: false, offload: "auto" },
});

let edge: AcmeEdge;
let uplink: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await edge.server.apply(edge.bundle("acme", policy), NODE);
  uplink = /link\/ether (\S+)/.exec(edge.server.run(["ip", "link", "show", "up0"]))?.[1] ?? "";
  watch("up0");
  watch("edge", "tg-acme");
});

afterAll(() => edge?.server.end());

/** Notes the source ports of what comes in by a device, before everything else there. */
function watch(device: string, namespace?: string): void {
  const input = `table inet watch {
    set seen { type inet_service; flags dynamic; size 65535; }
    chain first {
      type filter hook prerouting priority -500;
      iifname "${device}" add @seen { udp sport }
    }
  }`;
  edge.server.run(["nft", "-f", "-"], { input, ...(namespace ? { namespace } : {}) });
}

function seen(namespace?: string): ReadonlySet<number> {
  const at = namespace ? { namespace } : {};
  const { nftables } = JSON.parse(edge.server.run(["nft", "-j", "list", "set", "inet", "watch", "seen"], at));
  edge.server.run(["nft", "flush", "set", "inet", "watch", "seen"], at);
  return new Set(nftables.flatMap(({ set }: { set?: { elem?: number[] } }) => set?.elem ?? []));
}

function bytesOf(text: string): Uint8Array {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  return parsed.bytes;
}

/** Slow enough that no queue on the way overflows. */
function send(packets: readonly Uint8Array[]): void {
  const input = Buffer.concat(
    packets.flatMap((packet) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(packet.length);
      return [length, packet];
    }),
  );
  const argv = [WIRE, "eth0", uplink, `${packets.length}`, "10000"];
  const [command, ...args] = edge.server.enter(argv, "client");
  execFileSync(command, args, { input });
}

/** What the reference and the kernel say of each packet that they do not agree on. */
async function disagreements(packets: readonly Gated[]): Promise<readonly string[]> {
  const sent = packets.map((packet, index) => fromPort(packet, index + 1));
  send(sent);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const [arrived, forwarded] = [seen(), seen("tg-acme")];
  return packets.flatMap(({ name }, index) => {
    const trace = evaluate(policy, sent[index] ?? new Uint8Array(), newState(), 0n);
    const at = forwarded.has(index + 1) ? null : arrived.has(index + 1) ? "forwarding" : "arrival";
    return (trace.gate?.at ?? null) === at ? [] : [`${name}: kernel ${at}, reference ${trace.gate?.reason}`];
  });
}

function counter(name: string): number {
  const argv = ["nft", "list", "counter", "inet", "tidegate", name];
  return Number(/packets (\d+)/.exec(edge.server.run(argv, { namespace: "tg-acme" }))?.[1]);
}

describe("what the kernel drops before the firewall", () => {
  test("is what the definition says, case by case", async () => {
    expect(await disagreements(gatedPackets())).toEqual([]);
  });

  test("is met for every reason that the definition names", () => {
    const reasons = gatedPackets().map(({ bytes }) => evaluate(policy, bytes, newState(), 0n).gate?.reason);
    expect([...new Set(reasons)].filter(Boolean).sort()).toEqual([
      "a hop-by-hop option is cut short",
      "a hop-by-hop option is one that the kernel refuses",
      "an IPv4 option is malformed",
      "an IPv4 option is one that the kernel refuses",
      "it has a source route",
      "it has more than 8 hop-by-hop options",
      "its IP header checksum is wrong",
      "its hop-by-hop options hold more padding than alignment asks for",
      "its hop-by-hop padding is not zero",
      "its source is a link-local address",
      "its source is a multicast address",
      "its source is the broadcast address",
      "its source is the loopback address",
      "its source is the unspecified address",
      "its time to live ends here",
    ]);
  });

  test("is what the definition says of options at random", async () => {
    const packets = fc.sample(anyGated, { numRuns: 4000, seed: SEED });
    expect(await disagreements(packets)).toEqual([]);
  });
});

test("the firewall sees the time to live that a packet arrived with, though the node has forwarded it", () => {
  const before = ["rule-sees-64", "rule-sees-6"].map(counter);
  const texts = [5, 6, 7].map((ttl) => `udp [2001:db8:1::7]:1 > [2001:db8:a::100]:9 ttl=${ttl}`);
  send(
    [...texts, "udp 192.0.2.7:1 > 203.0.113.100:9 ttl=63", "udp 192.0.2.7:1 > 203.0.113.100:9"].map(bytesOf),
  );
  expect(["rule-sees-64", "rule-sees-6"].map(counter)).toEqual(before.map((count) => count + 1));
});
