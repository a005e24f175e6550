import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { countersOf, evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { nft } from "../../src/targets/nft/target.js";
import { AcmeEdge, acme, FTP, NODE, type RunningScript } from "../support/acme-edge.js";
import { firewall } from "../support/firewall-policies.js";
import { and, bits, number, rule } from "../support/ir.js";

const established = number("ct.state", CT_STATES.established, CT_STATES.related);
const opens = number("ct.state", CT_STATES.new);

describe("through a whole edge server", () => {
  let edge: AcmeEdge;
  let servers: readonly RunningScript[] = [];

  beforeAll(async () => {
    edge = await AcmeEdge.start();
    const policy = acme({
      firewall: {
        default: "drop",
        rules: [
          rule("known", "allow", established),
          rule("web", "allow", and(opens, number("tcp.dstport", 80))),
          rule("large", "allow", and(number("udp.dstport", 9), number("udp.len", 3008))),
        ],
        stateful: true,
        offload: "auto",
      },
    });
    await edge.server.apply(edge.bundle("acme", policy), NODE);
    servers = await Promise.all([echo("site", 80), echo("site", 81), echo("client", 8080)]);
  });

  afterAll(async () => {
    for (const server of servers) await server.end();
    await edge?.server.end();
  });

  /** A server that sends back what it gets. */
  function echo(namespace: string, port: number): Promise<RunningScript> {
    return edge.start(
      namespace,
      `require("net").createServer((s) => s.pipe(s)).listen(${port}, "0.0.0.0", () => console.log("ready"));`,
    );
  }

  /** The bytes that came back, of a connection that sends so many. */
  function exchange(from: string, host: string, port: number, bytes: number): string {
    return edge
      .script(
        from,
        `let got = 0;
         const end = (word) => { console.log(word); process.exit(); };
         const s = require("net").connect({ host: "${host}", port: ${port}, localAddress: ${from === "site" ? `"${FTP}"` : "undefined"} },
           () => s.write(Buffer.alloc(${bytes})));
         s.on("data", (chunk) => { got += chunk.length; if (got === ${bytes}) end(got); });
         s.on("error", (error) => end(error.code)); setTimeout(() => end("silence"), 3000);`,
      )
      .trim();
  }

  async function packets(name: string): Promise<number> {
    const { customers } = await edge.server.status();
    return customers[0].counters.firewall[name].packets;
  }

  test("a new connection to port 80 is let in once, and known from then on", async () => {
    const [web, known] = [await packets("web"), await packets("known")];
    expect(exchange("client", FTP, 80, 100_000)).toBe("100000");
    expect(await packets("web")).toBe(web + 1);
    expect(await packets("known")).toBeGreaterThan(known + 10);
  });

  test("another port is not", async () => {
    expect(exchange("client", FTP, 81, 1)).toBe("silence");
  });

  test("a datagram in fragments arrives whole, judged by what no single fragment says", async () => {
    const large = await packets("large");
    const sink = await edge.start(
      "site",
      `const s = require("dgram").createSocket("udp4");
       s.on("message", (message) => console.log(message.length));
       s.bind(9, "${FTP}", () => console.log("ready"));`,
    );
    edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       s.send(Buffer.alloc(3000), 9, "${FTP}", () => setTimeout(() => s.close(), 300));`,
    );
    expect(await sink.end()).toBe("ready\n3000\n");
    expect(await packets("large")).toBe(large + 1);
  });

  test("what the customer asks for comes back", async () => {
    const known = await packets("known");
    expect(exchange("site", "192.0.2.7", 8080, 10_000)).toBe("10000");
    expect(await packets("known")).toBeGreaterThan(known + 2);
  });
});

describe("packet by packet", () => {
  let probe: Probe;

  beforeAll(async () => {
    probe = await Probe.start();
    await probe.nftOpen();
  });

  afterAll(() => probe?.close());

  function bytesOf(text: string): Uint8Array {
    const parsed = parsePacket(text);
    if (parsed.kind !== "packet") throw new Error(text);
    return parsed.bytes;
  }

  /** Counters of the kernel after these packets, and what the reference says they are. */
  async function both(policy: Policy, texts: readonly string[]) {
    const sent = texts.map(bytesOf);
    await probe.nftLoad(nft.emit(policy)[0]?.text ?? "");
    const verdicts = await probe.nftRun(sent);
    const kernel = [...(await probe.nftCounters())].filter(([, counter]) => counter.packets > 0);
    const traces = sent.map((packet) => evaluate(policy, packet, newState(), 0n));
    const reference: Record<string, number> = {};
    for (const rule of traces.flatMap((trace) => countersOf(trace, "firewall"))) {
      const counter = rule === null ? "default" : `rule-${rule}`;
      reference[counter] = (reference[counter] ?? 0) + 1;
    }
    return {
      kernel: Object.fromEntries(kernel.map(([name, counter]) => [name, counter.packets])),
      reference,
      survived: Array.from(verdicts, (verdict) => verdict === NFT_VERDICT.survived),
      held: traces.map((trace) => trace.held),
    };
  }

  const web = number("tcp.dstport", 80);
  const stateful = (...rules: Parameters<typeof firewall>[0]): Policy => {
    const stateless = firewall(rules);
    return { ...stateless, firewall: { ...stateless.firewall, stateful: true } };
  };
  const V4 = "192.0.2.7:40000 > 203.0.113.9:80";
  const V6 = "[2001:db8:9::7]:40000 > [2001:db8::9]:80";

  test("no rule and no counter sees a fragment", async () => {
    const texts = [
      `tcp ${V4} flags=S frag=0+ id=1`,
      `tcp ${V4} frag=64 id=2 payload=0000000000000050`,
      // 24 bytes, which reassembly takes, and 20, which it lets pass: a fragment before the last is a multiple of 8.
      `tcp ${V6} flags=S frag=0+ id=3 payload=00000000`,
      `tcp ${V6} flags=S frag=0+ id=3`,
      "proto=6 2001:db8:9::7 > 2001:db8::9 frag=64 id=4 payload=9c40005000000000",
      "proto=6 2001:db8:9::7 > 2001:db8::9 frag=64+ id=5 payload=9c400050",
    ];
    expect(await both(stateful(rule("web", "allow", web)), texts)).toEqual({
      kernel: {},
      reference: {},
      held: texts.map(() => true),
      survived: texts.map(() => false),
    });
  });

  test("tracking is on without any `ct.state`, and off in a stateless firewall", async () => {
    const fragment = [`tcp ${V4} flags=S frag=0+ id=5`];
    expect((await both(stateful(rule("web", "allow", web)), fragment)).kernel).toEqual({});
    const stateless = firewall([rule("web", "allow", web)]);
    expect((await both(stateless, fragment)).kernel).toEqual({ "rule-web": 1 });
  });

  test("a stateless firewall sees fragments as they come, also where somebody else tracks connections", async () => {
    const chain = "add chain inet other c { type filter hook prerouting priority 0; }";
    await probe.nftLoad(`add table inet other\n${chain}\nadd rule inet other c ct state new`);
    const texts = [`tcp ${V4} flags=S frag=0+ id=8`, `tcp ${V6} flags=S frag=0+ id=9 payload=00000000`];
    const seen = await both(firewall([rule("web", "allow", web)]), texts);
    await probe.nftLoad("delete table inet other");
    expect(seen.kernel).toEqual({ "rule-web": 2 });
    expect(seen.reference).toEqual(seen.kernel);
  });

  test("an IPv6 fragment that is the whole datagram is judged without its fragment header", async () => {
    const header = rule("header", { kind: "count" }, number("fragment6.offset", 0));
    const length = rule("length", { kind: "count" }, number("ip6.payload_len", 20));
    const rules = [header, length, rule("web", "allow", web)];
    const seen = await both(stateful(...rules), [`tcp ${V6} flags=S frag=0 id=6`]);
    expect(seen.kernel).toEqual({ "rule-length": 1, "rule-web": 1 });
    expect(seen.reference).toEqual(seen.kernel);
  });

  test("the fragment that completes a datagram carries it whole past the rules", async () => {
    // 8 bytes of UDP header and 16 of payload, cut behind the first 16.
    const whole = Buffer.from(bytesOf("udp 192.0.2.7:40000 > 203.0.113.9:80 payload=".padEnd(77, "0")));
    const body = whole.subarray(20);
    const part = (at: string, bytes: Buffer) =>
      `proto=17 192.0.2.7 > 203.0.113.9 id=7 frag=${at} payload=${bytes.toString("hex")}`;
    const first = part("0+", body.subarray(0, 16));
    const last = part("16", body.subarray(16));
    const policy = stateful(
      rule("all-of-it", "allow", and(number("udp.dstport", 80), number("ip4.len", 44))),
    );
    const seen = await both(policy, [first, last]);
    expect(seen).toMatchObject({ kernel: { "rule-all-of-it": 1 }, survived: [false, true] });
  });

  test("states are those of connection tracking", async () => {
    const count = { kind: "count" } as const;
    const rules = Object.entries(CT_STATES).map(([name, bit]) => rule(name, count, bits("ct.state", bit)));
    const texts = [`tcp ${V4} flags=S`, `tcp ${V6} flags=SF`, "udp 192.0.2.7:1 > 203.0.113.9:2"];
    const { kernel } = await both(stateful(...rules), texts);
    expect(kernel).toEqual({ "rule-new": 2, "rule-invalid": 1, default: 3 });
  });
});
