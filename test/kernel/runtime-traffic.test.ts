import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import { AcmeEdge, acme, FTP, FTP6, globex, NODE, type RunningScript } from "../support/acme-edge.js";
import { number, rule } from "../support/ir.js";
import { PATIENCE } from "../support/patience.js";

let edge: AcmeEdge;
let ftpServer: RunningScript;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  await edge.server.apply(edge.bundle("acme", acme()), NODE);
  await edge.server.apply(edge.bundle("globex", globex()), NODE);
  ftpServer = await edge.startEcho();
});

afterAll(async () => {
  await ftpServer?.end();
  await edge?.server.end();
});

/** Counts what comes to port 9 of a host, and says it in the end. */
function startSink(namespace: "client" | "site"): Promise<RunningScript> {
  return edge.start(
    namespace,
    `let got = 0;
     const s = require("dgram").createSocket("udp4").on("message", () => got++);
     s.bind(9, () => console.log("ready"));
     process.on("SIGTERM", () => setTimeout(() => { console.log(got + " arrived"); process.exit(); }, 100));`,
  );
}

/** Packets that a customer's rule, or counter of another sort, has counted. */
async function counted(customer: string, stage: "mitigate" | "firewall" | "other", name: string) {
  const { customers } = await edge.server.status();
  const found = customers.find((one: { name: string }) => one.name === customer);
  return found.counters[stage][name].packets;
}

async function added(count: () => Promise<number>, action: () => void): Promise<number> {
  const before = await count();
  action();
  return (await count()) - before;
}

describe("what a policy allows", () => {
  test.each([
    ["IPv4", FTP],
    ["IPv6", FTP6],
  ])(
    "megabytes over %s arrive whole, both ways, though the first packets are too long for the tunnel",
    (_name, host) => {
      const answer = edge.script(
        "client",
        `const { createHash, randomBytes } = require("crypto");
       const bytes = randomBytes(4_000_000), hash = createHash("sha256");
       const socket = require("net").connect(21, "${host}", () => socket.end(bytes));
       socket.setTimeout(${15_000 * PATIENCE}, () => socket.destroy(new Error("it stalled")));
       socket.on("data", (chunk) => hash.update(chunk));
       socket.on("end", () =>
         console.log(createHash("sha256").update(bytes).digest("hex") === hash.digest("hex") ? "same" : "different"));`,
      );
      expect(answer.trim()).toBe("same");
      expect(edge.server.run(["ip", "route", "get", host], { namespace: "client" })).toContain("mtu 1476");
    },
  );

  test("status counts it under its rule and its tunnel", async () => {
    const { customers } = await edge.server.status();
    const { counters, tunnels } = customers[0];
    expect(counters.firewall.ftp.packets).toBeGreaterThan(1000);
    expect(counters.firewall.ftp6.packets).toBeGreaterThan(1000);
    // Nothing but customers' packets is on the links: no neighbour discovery, no multicast reports.
    expect(counters.other).toMatchObject({ foreign: { packets: 0 }, "return-spoofed": { packets: 0 } });
    expect(counters.other["return-passed"].packets).toBeGreaterThan(1000);
    const driver = await chooseGre();
    // A GRE device has no link that could go down (operstates.rst).
    const state = driver === "kernel" ? "UNKNOWN" : "UP";
    expect(tunnels).toMatchObject([{ name: "chicago", driver, state, dropped: { packets: 0 } }]);
    expect(tunnels[0].sent.bytes).toBeGreaterThan(4_000_000);
    expect(tunnels[0].received.bytes).toBeGreaterThan(4_000_000);
  });
});

describe("what it does not allow", () => {
  test("another port is dropped by default", async () => {
    const dropped = await added(
      () => counted("acme", "firewall", "default"),
      () => expect(edge.connect(22)).toBe("silence"),
    );
    expect(dropped).toBeGreaterThan(0);
  });

  test("a bogon is dropped in XDP", async () => {
    const send = () => edge.sendUdp("client", "10.1.2.3", FTP);
    expect(await added(() => counted("acme", "mitigate", "bogons"), send)).toBe(1);
  });

  test("a foreign source does not leave a tunnel", async () => {
    edge.server.ip(["addr add 192.0.2.99/32 dev lo"], "site");
    const sink = await startSink("client");
    const send = () => edge.sendUdp("site", "192.0.2.99", "192.0.2.7");
    expect(await added(() => counted("acme", "other", "return-spoofed"), send)).toBe(1);
    edge.sendUdp("site", FTP, "192.0.2.7");
    expect(await sink.end()).toBe("ready\n1 arrived\n");
  });

  test("what one customer sends to another is judged by the other's policy", async () => {
    const send = () => edge.sendUdp("site", FTP, "198.18.64.1");
    expect(await added(() => counted("globex", "mitigate", "from-acme"), send)).toBe(1);
  });
});

test("while a rule moves from one stage to the other, nothing slips between them", async () => {
  const udp = rule("udp", "drop", number("ip.proto", 17));
  const allow = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
  const early = edge.bundle("early", acme({ mitigate: [udp], firewall: allow }));
  const late = edge.bundle("late", acme({ mitigate: [], firewall: { ...allow, rules: [udp] } }));
  await edge.server.apply(early, NODE);
  const sink = await startSink("site");
  const flood = await edge.start(
    "client",
    `const s = require("dgram").createSocket("udp4");
     setInterval(() => { for (let i = 0; i < 5; i++) s.send("x", 9, "${FTP}"); }, 1);
     setTimeout(() => console.log("ready"), 100);`,
  );
  for (const bundle of [late, early, late]) await edge.server.apply(bundle, NODE);
  expect(await counted("acme", "firewall", "udp")).toBeGreaterThan(0);
  await flood.end();
  expect(await sink.end()).toBe("ready\n0 arrived\n");
  await edge.server.apply(edge.bundle("acme", acme()), NODE);
});

describe("the tunnel on the wire", () => {
  /** What tshark says of these fields in the first packet that a connection to `host` sends through the tunnel. */
  async function sent(host: string, names: readonly string[]): Promise<readonly string[]> {
    const file = join(edge.server.folder, "router.pcap");
    // The last words of a connection before, over the other family, may come late.
    const filter = `ip proto 47 and ip[22:2] = ${host.includes(":") ? "0x86dd" : "0x0800"}`;
    const capture = ["tcpdump", "-i", "eth0", "-U", "-w", file, "-c", "2", filter];
    const [command, ...args] = edge.server.enter(capture, "router");
    const tcpdump = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    expect(edge.connect(21, host)).toBe("open");
    await ended;
    const fields = names.flatMap((name) => ["-e", name]);
    const options = ["-o", "ip.check_checksum:TRUE", "-T", "fields", ...fields];
    const [first = ""] = edge.server.run(["tshark", "-r", file, ...options]).split("\n");
    return first.split("\t");
  }

  test("tshark finds GRE from the anycast address with good checksums", async () => {
    const names = ["ip.src", "ip.dst", "ip.ttl", "ip.checksum.status", "gre.proto", "tcp.dstport"];
    expect(await sent(FTP, names)).toEqual([
      "198.18.0.1,192.0.2.7",
      `198.51.100.1,${FTP}`,
      // The client's 64, less one hop at the edge and one in the customer's namespace.
      "61,63",
      "1,1",
      "0x0800",
      "21",
    ]);
  });

  test("in IPv6 too the edge is one hop", async () => {
    const names = ["ip.src", "ip.ttl", "gre.proto", "ipv6.dst", "ipv6.hlim"];
    expect(await sent(FTP6, names)).toEqual(["198.18.0.1", "61", "0x86dd", FTP6, "63"]);
  });
});
