import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { readPacket } from "../../src/cli/packets.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, FTP6, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { hourly } from "../support/firewall-policies.js";
import { address, number, rule } from "../support/ir.js";

/** Packets that differ in what becomes of them, and how many of each are sent. */
const SENT: readonly (readonly [string, number])[] = [
  [`udp 10.1.2.3:1000 > ${FTP}:9 len=100`, 7],
  [`tcp 192.0.2.7:40000 > ${FTP}:21 flags=A len=60`, 11],
  [`tcp [2001:db8:1::7]:40000 > [${FTP6}]:20 flags=A`, 5],
  [`udp 192.0.2.7:1000 > ${FTP}:7 len=50`, 13],
  [`udp 192.0.2.8:1000 > ${FTP}:7 len=50`, 2],
  [`udp 192.0.2.9:1000 > ${FTP}:5 len=80`, 17],
  [`tcp 192.0.2.7:1000 > ${FTP}:80 flags=S`, 3],
  // To nobody's prefix, and a header that is longer than its packet.
  ["udp 192.0.2.7:1000 > 192.0.2.200:9", 19],
  ["hex=4f0000140000000040110000c000020700000000", 23],
];

/** Every packet is counted where docs/semantics.md, "Counters", says; and nowhere else. */
const EXPECTED = {
  "mitigate seen count": [7 + 13 + 2 + 17, 7 * 100 + 15 * 50 + 17 * 80],
  "mitigate bogons drop": [7, 700],
  // Each sender has four to begin with.
  "mitigate few limit": [13 - 4, 9 * 50],
  "mitigate default ": [11 + 5 + 4 + 2 + 17 + 3, 11 * 60 + 5 * 60 + 6 * 50 + 17 * 80 + 3 * 40],
  "firewall ftp allow": [11, 660],
  "firewall ftp6 allow": [5, 300],
  "firewall logged log": [17, 1360],
  "firewall default ": [4 + 2 + 17 + 3, 6 * 50 + 17 * 80 + 3 * 40],
  // Nobody listens behind the tunnel: each that comes through is answered with a reset.
  "other return-passed ": [11 + 5, 11 * 40 + 5 * 60],
} as const;

let edge: AcmeEdge;
let daemon: RunningDaemon | undefined;

beforeAll(async () => {
  edge = await AcmeEdge.start();
});
afterAll(() => edge?.server.end());
afterEach(async () => void (await daemon?.end()));

function policy(offload: "auto" | "off"): Policy {
  const { firewall, ...rest } = acme();
  const mitigate = [
    rule("seen", { kind: "count" }, number("ip.proto", 17)),
    rule("bogons", "drop", address("ip.src", "10.0.0.0/8")),
    rule("few", hourly(4, "ip.src"), number("udp.dstport", 7)),
  ];
  const logged = rule("logged", { kind: "log", sample: 3 }, number("udp.dstport", 5));
  return { ...rest, mitigate, firewall: { ...firewall, offload, rules: [...firewall.rules, logged] } };
}

/** Sends all of `SENT`, byte for byte, from the client to the uplink. */
function send(): void {
  const packets = SENT.flatMap(([text, count]) =>
    Array.from({ length: count }, () => Buffer.from(readPacket(text, 0n).bytes)),
  );
  const [link] = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"]));
  const input = Buffer.concat(
    packets.map((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  const script = `require("child_process").execFileSync(${JSON.stringify(wire)}, ["eth0", "${link.address}"],
    { input: Buffer.from("${input.toString("base64")}", "base64") });`;
  edge.script("client", script);
}

/** Value by name and labels, as the endpoint says. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const text = edge.server.run([
    "node",
    "-e",
    'fetch("http://127.0.0.1:9821/metrics").then(async (r) => console.log(await r.text()))',
  ]);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** What was counted by rules, as `stage rule action`; without what nothing was counted by. */
function rules(found: ReadonlyMap<string, number>): Readonly<Record<string, readonly number[]>> {
  const rows = [...found].flatMap(([name, packets]) => {
    const labels =
      /^tidegate_packets_total(\{customer="acme",stage="(\w+)",rule="([^"]*)",action="(\w*)"\})$/.exec(name);
    if (!labels || packets === 0) return [];
    const bytes = found.get(`tidegate_bytes_total${labels[1]}`) ?? 0;
    return [[`${labels[2]} ${labels[3]} ${labels[4]}`, [packets, bytes]] as const];
  });
  return Object.fromEntries(rows);
}

describe.each(["auto", "off"] as const)("with the firewall's offload %s", (offload) => {
  test("the metrics agree with the packets that were sent, rule by rule, in packets and bytes", async () => {
    const root = join(edge.server.folder, `store-${offload}`);
    mkdirSync(root);
    await publishBundle(dirStore(root), edge.bundle(`metrics-${offload}`, policy(offload)));
    const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
    daemon = RunningDaemon.start(edge.server, ["--node", node, "--store", `dir:${root}`]);
    await daemon.says(/acme: revision 1 in force/);
    const before = await scrape();
    expect(rules(before)).toEqual({});
    send();
    const after = await scrape();
    expect(rules(after)).toEqual(EXPECTED);
    const [limited] = EXPECTED["mitigate few limit"];
    expect(after.get('tidegate_limited_packets_total{customer="acme",stage="mitigate",rule="few"}')).toBe(
      limited,
    );
    const added = (kind: string) => {
      const name = `tidegate_root_packets_total{kind="${kind}"}`;
      return (after.get(name) ?? 0) - (before.get(name) ?? 0);
    };
    const all = SENT.reduce((sum, [, count]) => sum + count, 0);
    expect([added("malformed"), added("closed")]).toEqual([23, 0]);
    // So are the answers on their way through the node, and what neighbours ask one another.
    expect(added("foreign")).toBeGreaterThanOrEqual(19 + 2 * (11 + 5));
    expect(added("dispatched")).toBe(all - 23 - 19);
    expect(after.get('tidegate_generation{customer="acme"}')).toBe(1);
    expect(after.get("tidegate_customers")).toBe(1);
    expect(after.get("tidegate_apply_duration_seconds_count")).toBe(1);
    await daemon.end();
    await edge.server.remove("acme");
    edge.server.run(["rm", "-rf", "/run/tidegate"]);
  });
});
