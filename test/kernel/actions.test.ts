import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcmeEdge, acme, FTP, FTP6, globex, NODE } from "../support/acme-edge.js";
import { address, and, number, rule } from "../support/ir.js";

/** What a sender and an operator see of `reject` and `log`: real packets through a whole edge server. */

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const policy = acme({
    firewall: {
      default: "reject",
      rules: [
        rule("seen", { kind: "log", sample: 3 }, and(number("ip.proto", 17), number("udp.dstport", 5))),
        rule("no-telnet", "reject", number("tcp.dstport", 23)),
        rule("silent", "drop", number("udp.dstport", 7)),
        rule("answers", "allow", address("ip.src", "198.18.0.1", "198.18.64.0/24")),
      ],
      stateful: false,
      offload: "auto",
    },
  });
  await edge.server.apply(edge.bundle("acme", policy), NODE);
  const closed = { default: "reject", rules: [], stateful: false, offload: "auto" } as const;
  await edge.server.apply(edge.bundle("globex", { ...globex(), mitigate: [], firewall: closed }), NODE);
});

afterAll(() => edge?.server.end());

/** What becomes of a UDP packet: the error that its sender's socket reports. */
function sendUdp(host: string, port: number, from = "client"): string {
  const family = host.includes(":") ? "udp6" : "udp4";
  return edge
    .script(
      from,
      `const s = require("dgram").createSocket("${family}");
       const end = (word) => { console.log(word); process.exit(); };
       s.on("error", (error) => end(error.code));
       s.connect(${port}, "${host}", () => {
         s.send("x");
         // An error of the first packet shows when the second is sent.
         setTimeout(() => s.send("x", (error) => error && end(error.code)), 200);
         setTimeout(() => end("silence"), 600);
       });`,
    )
    .trim();
}

function connect(host: string, port: number, from = "client"): string {
  return edge
    .script(
      from,
      `const s = require("net").connect({ host: "${host}", port: ${port} });
       const end = (word) => () => { console.log(word); process.exit(); };
       s.on("connect", end("open")); s.on("error", (error) => end(error.code)());
       setTimeout(end("silence"), 1000);`,
    )
    .trim();
}

async function counters() {
  const { customers } = await edge.server.status();
  return customers[0].counters;
}

describe("reject", () => {
  test.each([
    ["TCP over IPv4, by a rule", FTP, 23],
    ["TCP over IPv6, by a rule", FTP6, 23],
    ["TCP, by default", FTP, 24],
  ])("%s: the client is reset at once", (_, host, port) => {
    expect(connect(host, port)).toBe("ECONNREFUSED");
  });

  test.each([
    ["IPv4", FTP, "EHOSTUNREACH"],
    ["IPv6", FTP6, "EACCES"],
  ])("UDP over %s: the sender is told that it is prohibited", (_, host, code) => {
    expect(sendUdp(host, 9)).toBe(code);
  });

  test("a sender behind another customer's tunnel is told too, if that customer lets the answer in", async () => {
    const { firewall } = await counters();
    expect(connect("198.18.64.9", 80, "site")).toBe("ECONNREFUSED");
    expect(sendUdp("198.18.64.9", 80, "site")).toBe("EHOSTUNREACH");
    const after = (await counters()).firewall;
    expect(after.answers.packets - firewall.answers.packets).toBeGreaterThanOrEqual(2);
  });

  test("a drop is silent", () => {
    expect(sendUdp(FTP, 7)).toBe("silence");
  });

  test("answers are counted as no packet of the way back", async () => {
    const before = await counters();
    expect(connect(FTP, 23)).toBe("ECONNREFUSED");
    const after = await counters();
    expect(after.firewall["no-telnet"].packets).toBe(before.firewall["no-telnet"].packets + 1);
    expect(after.other).toEqual(before.other);
  });
});

describe("log", () => {
  test("one packet in three is in the group of the customer's namespace, the first among them", async () => {
    const file = join(edge.server.folder, "logged.pcap");
    const capture = ["tcpdump", "-i", "nflog:21575", "-U", "-w", file, "-c", "2"];
    const [command, ...args] = edge.server.enter(capture, "tg-acme");
    const tcpdump = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    const before = await counters();
    for (let port = 4001; port <= 4006; port++)
      edge.script(
        "client",
        `const s = require("dgram").createSocket("udp4");
         s.bind(${port}, () => s.send("x", 5, "${FTP}", () => s.close()));`,
      );
    await ended;

    const prefix = "tidegate acme seen: ";
    const fields = ["nflog.prefix", "udp.srcport", "udp.dstport"].flatMap((name) => ["-e", name]);
    const lines = edge.server
      .run(["tshark", "-r", file, "-T", "fields", ...fields])
      .trim()
      .split("\n");
    expect(lines.map((line) => line.split("\t"))).toEqual([
      [prefix, "4001", "5"],
      [prefix, "4004", "5"],
    ]);
    const after = await counters();
    expect(after.firewall.seen.packets - before.firewall.seen.packets).toBe(6);
    expect(after.firewall.default.packets - before.firewall.default.packets).toBe(6);
  });
});
