import { afterAll, beforeAll, expect, test } from "vitest";
import { AcmeEdge, acme, FTP, globex, NODE, type RunningScript } from "../support/acme-edge.js";
import { PATIENCE } from "../support/patience.js";

/** A node that somebody else's packets cross, while Tidegate comes and goes: `APPLIES=100` is the long run. */
const TIMES = Number(process.env["APPLIES"] ?? 2);

const LIMIT_MS = (60_000 + TIMES * 10_000) * PATIENCE;

/** The longest that a packet may be under way. Without a load it takes less than a millisecond. */
const STALLED_MS = 250 * PATIENCE;

const ROUTER = "198.51.100.1";

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  // The operator's own: it is a router before Tidegate comes.
  edge.server.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
});

afterAll(() => edge?.server.end());

/** Numbers arrivals, and says at its end how many came and how long the slowest one took. */
function receive(): Promise<RunningScript> {
  return edge.start(
    "router",
    `const socket = require("dgram").createSocket({ type: "udp4", recvBufferSize: 1 << 22 });
     let came = 0, slowest = 0n;
     socket.on("message", (bytes) => {
       const took = process.hrtime.bigint() - bytes.readBigUInt64BE();
       came++;
       if (took > slowest) slowest = took;
     });
     socket.bind(9, () => console.log("ready"));
     process.on("SIGTERM", () => {
       console.log(JSON.stringify({ came, slowestMs: Number(slowest) / 1e6 }));
       process.exit();
     });`,
  );
}

/** A packet every two milliseconds, with the time; says at its end how many it sent. */
function sendForeign(): Promise<RunningScript> {
  return edge.start(
    "client",
    `const socket = require("dgram").createSocket("udp4");
     let sent = 0;
     const timer = setInterval(() => {
       const bytes = Buffer.alloc(8);
       bytes.writeBigUInt64BE(process.hrtime.bigint());
       socket.send(bytes, 9, "${ROUTER}", () => sent++);
     }, 2);
     console.log("ready");
     process.on("SIGTERM", () => {
       clearInterval(timer);
       setTimeout(() => { console.log(JSON.stringify({ sent })); process.exit(); }, 100);
     });`,
  );
}

/** The last line that a script printed, as JSON. */
async function said(script: RunningScript): Promise<Record<string, number>> {
  return JSON.parse((await script.end()).trim().split("\n").at(-1) ?? "");
}

function mainTables(): string {
  const show = (family: string) => edge.server.run(["ip", family, "-d", "route", "show", "table", "main"]);
  return ["-4", "-6"].map(show).join("\n");
}

const inForce = (bundle: string) => edge.server.apply(bundle, NODE);

test(
  `a customer comes and goes ${TIMES} times: the main table is the same byte by byte, no foreign packet is lost or stalls`,
  async () => {
    const bundle = edge.bundle("acme", acme());
    const found = edge.server.portrait();
    // Set-up and taking down of the node itself are not free: where there are no GRE devices, each uplink gets a clsact, for
    // which the kernel stops the device for a moment and drops what is being sent (dev_deactivate, in qdisc_graft).
    await inForce(edge.bundle("globex", globex()));
    const tables = mainTables();
    const receiver = await receive();
    const sender = await sendForeign();
    for (let time = 0; time < TIMES; time++) {
      await inForce(bundle);
      expect(edge.connect(21, FTP)).toBe("refused");
      await edge.server.remove("acme");
      expect(mainTables()).toBe(tables);
    }
    const { sent = 0 } = await said(sender);
    const { came, slowestMs } = await said(receiver);
    console.log(`${came} of ${sent} foreign packets came, the slowest after ${slowestMs?.toFixed(1)} ms`);
    await edge.server.remove("globex");
    expect(edge.server.portrait()).toBe(found);
    expect(sent).toBeGreaterThan(100 * TIMES);
    expect(came).toBe(sent);
    expect(slowestMs).toBeLessThan(STALLED_MS);
  },
  LIMIT_MS,
);
