import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { addressBytes } from "../../runtime/prefix.js";
import { publishBundle, publishRemoval } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import type { Store } from "../../runtime/store/store.js";
import { readPacket } from "../../src/cli/packets.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { writeHeaderChecksum } from "../../src/compiler/semantics/checksum.js";
import { AcmeEdge, acme, FTP, FTP6, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { pieceBytes } from "../support/datagram-pieces.js";
import { ExpectedMetrics } from "../support/expected-metrics.js";
import { hourly } from "../support/firewall-policies.js";
import { cutUp } from "../support/fragments.js";
import { address, number, rule } from "../support/ir.js";

const packet = (text: string): Uint8Array => readPacket(text, 0n).bytes;

/** Packets that differ in what becomes of them, and how many of each are sent. */
const SENT: readonly (readonly [Uint8Array, number])[] = [
  [packet(`udp 10.1.2.3:1000 > ${FTP}:9 len=100`), 7],
  [packet(`tcp 192.0.2.7:40000 > ${FTP}:21 flags=A len=60`), 11],
  [packet(`tcp [2001:db8:1::7]:40000 > [${FTP6}]:20 flags=A`), 5],
  [packet(`udp 192.0.2.7:1000 > ${FTP}:7 len=50`), 13],
  [packet(`udp 192.0.2.8:1000 > ${FTP}:7 len=50`), 2],
  [packet(`udp 192.0.2.9:1000 > ${FTP}:5 len=80`), 17],
  [packet(`udp 192.0.2.9:1000 > ${FTP}:6 len=90`), 5],
  [packet(`tcp 192.0.2.7:1000 > ${FTP}:80 flags=S`), 3],
  [packet(`tcp 192.0.2.7:1000 > ${FTP}:23 flags=S`), 4],
  [packet(`tcp 192.0.2.7:1000 > ${FTP}:22 flags=S`), 6],
  [packet(`icmp 192.0.2.7 > ${FTP} type=8 code=0`), 2],
  // Its last hop was the edge: between XDP and the firewall it ends.
  [packet(`tcp 192.0.2.7:40000 > ${FTP}:21 flags=A ttl=1`), 3],
  // A part of a datagram, without ports; and four bytes of padding, which are no packet's.
  [packet(`udp 192.0.2.7:1000 > ${FTP}:5 frag=8 len=64`), 2],
  [packet("hex=450000140000000040067cd3c0000207cb0071099c400050"), 2],
  // To nobody's prefix, and headers that are longer than their packets.
  [packet("udp 192.0.2.7:1000 > 192.0.2.200:9"), 19],
  [packet("hex=4f0000140000000040110000c000020700000000"), 23],
  [packet("hex=600000000008"), 3],
];

const BACK: readonly (readonly [Uint8Array, number])[] = [
  [packet(`udp ${FTP}:9 > 192.0.2.7:9 len=70`), 9],
  [packet(`udp [${FTP6}]:9 > [2001:db8:1::7]:9`), 4],
  [packet("udp 198.18.64.1:9 > 192.0.2.7:9 len=44"), 3],
];

const PAST_XDP = packet(`udp 192.0.2.7:1000 > ${FTP}:21 len=77`);

let edge: AcmeEdge;
let store: Store;
let daemon: RunningDaemon | undefined;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  const { server } = edge;
  server.ip(["netns add past", "link add lan0 type veth peer name eth0 netns past", "link set lan0 up"]);
  server.ip(["link set eth0 up"], "past");
  // Nobody answers: what is counted is what was sent.
  const quiet = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept";
  const table = `table inet quiet {\nchain input {\ntype filter hook input priority 0; policy drop;\n${quiet}\n}\n}\n`;
  for (const namespace of ["client", "site"]) server.run(["nft", "-f", "-"], { namespace, input: table });
  const root = join(server.folder, "store");
  mkdirSync(root);
  store = dirStore(root);
});
afterAll(() => edge?.server.end());
afterEach(async () => void (await daemon?.end("SIGKILL")));

async function start(): Promise<void> {
  const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  daemon = RunningDaemon.start(edge.server, ["--node", node, "--store", store.name]);
  await daemon.says(/following/);
}

/** As many as are listed, byte for byte, out of a device of a namespace. */
function send(
  namespace: string,
  device: string,
  to: string,
  packets: readonly (readonly [Uint8Array, number])[],
): void {
  const input = packets.flatMap(([bytes, count]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Array.from({ length: count }, () => Buffer.concat([length, bytes]));
  });
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  const script = `require("child_process").execFileSync(${JSON.stringify(wire)}, ["${device}", "${to}"],
    { input: Buffer.from("${Buffer.concat(input).toString("base64")}", "base64") });`;
  edge.script(namespace, script);
}

function mac(device: string, namespace?: string): string {
  const options = namespace === undefined ? {} : { namespace };
  return JSON.parse(edge.server.run(["ip", "-j", "link", "show", device], options))[0].address;
}

/** All packets, in both directions and past the uplinks; what they count is expected. */
function sendAll(expected: ExpectedMetrics): void {
  send("client", "eth0", mac("up0"), SENT);
  send("site", "tunnel", mac("peer", "router"), BACK);
  send("past", "eth0", mac("lan0"), [[PAST_XDP, 8]]);
  for (const [bytes, count] of SENT) expected.arrive(bytes, count);
  for (const [bytes, count] of BACK) expected.comeBack(bytes, count);
  expected.arriveElsewhere(PAST_XDP, 8);
}

/** The same fragment, to Acme's host. */
function toAcme(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  const [to, at] = (copy[0] ?? 0) >> 4 === 4 ? [FTP, 16] : [FTP6, 24];
  copy.set(addressBytes(to) ?? [], at);
  if (at === 16) writeHeaderChecksum(copy);
  return copy;
}

/** Value by name and labels, as the endpoint says. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const ask = 'fetch("http://127.0.0.1:9821/metrics").then(async (r) => console.log(await r.text()))';
  const text = edge.server.run(["node", "-e", ask]);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

const COUNTS = /^tidegate_(tunnel_)?(packets|bytes|limited_packets)_total\{/;

function counts(found: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...found].filter(([head]) => COUNTS.test(head)));
}

/** Every line that counts packets of the customer is as expected, and no other line is there. */
async function agree(expected: ExpectedMetrics): Promise<ReadonlyMap<string, number>> {
  const wanted = expected.samples;
  const same = (found: Readonly<Record<string, number>>) =>
    Object.entries(wanted).every(([head, count]) => found[head] === count);
  let found = await scrape();
  // The last packets may be on their way yet.
  for (let look = 0; look < 10 && !same(counts(found)); look++) {
    await sleep(100);
    found = await scrape();
  }
  expect(counts(found)).toEqual(wanted);
  return found;
}

function first(offload: "auto" | "off", stateful: boolean): Policy {
  const { firewall, ...rest } = acme();
  return {
    ...rest,
    mitigate: [
      rule("seen", { kind: "count" }, number("ip.proto", 17)),
      rule("bogons", "drop", address("ip.src", "10.0.0.0/8")),
      rule("few", hourly(4, "ip.src"), number("udp.dstport", 7)),
      rule("urgent", "allow", number("tcp.dstport", 22)),
    ],
    firewall: {
      ...firewall,
      ...{ offload, stateful },
      rules: [
        rule("no-telnet", "reject", number("tcp.dstport", 23)),
        ...firewall.rules,
        rule("logged", { kind: "log", sample: 3 }, number("udp.dstport", 5)),
        rule("slow", hourly(3, null), number("udp.dstport", 6)),
        rule("six", "allow", number("udp.dstport", 6)),
        rule("echo", "drop", number("ip.proto", 1)),
        rule("pieces", "allow", number("ip.proto", 253)),
      ],
    },
  };
}

/** Some names stay, some go and some come; of the two limits one has other terms. */
function second(policy: Policy): Policy {
  const { mitigate, firewall } = policy;
  const rules = firewall.rules.filter(({ name }) => name !== "echo");
  const slower = rule("slow", hourly(1, null), number("udp.dstport", 6));
  return {
    ...policy,
    mitigate: [
      rule("noise", "drop", number("udp.dstport", 5)),
      ...mitigate.filter(({ name }) => name !== "seen"),
    ],
    firewall: { ...firewall, rules: rules.map((one) => (one.name === "slow" ? slower : one)) },
  };
}

/** Publishes a first policy, and waits until it is in force. */
async function startWith(name: string, policy: Policy): Promise<void> {
  await publishBundle(store, edge.bundle(name, policy));
  await start();
  await daemon?.says(/acme: revision \d+ in force/);
}

async function remove(): Promise<void> {
  await publishRemoval(store, "acme");
  await daemon?.says(/acme: removed/);
}

describe("metrics agree with the packets", () => {
  test.each(["off", "auto"] as const)("with the firewall's offload %s", async (offload) => {
    const policy = first(offload, false);
    const expected = new ExpectedMetrics(policy);
    await startWith(offload, policy);
    const nothing = await agree(expected);
    sendAll(expected);
    const found = await agree(expected);
    expect(found.get('tidegate_limited_packets_total{customer="acme",stage="mitigate",rule="few"}')).toBe(9);
    const added = (head: string) => (found.get(head) ?? 0) - (nothing.get(head) ?? 0);
    // What is on its way back, and what neighbours ask one another, is foreign, too.
    for (const [head, count] of Object.entries(expected.root))
      if (head.includes("foreign")) expect(added(head)).toBeGreaterThanOrEqual(count);
      else expect([head, added(head)]).toEqual([head, count]);
    expect(added('tidegate_root_packets_total{kind="closed"}')).toBe(0);
    expect(found.get('tidegate_generation{customer="acme"}')).toBe(1);
    expect(found.get("tidegate_customers")).toBe(1);
    expect(found.get("tidegate_apply_duration_seconds_count")).toBe(1);
    await remove();
    expect([...(await scrape()).keys()].filter((head) => /acme|root_/.test(head))).toEqual([]);
  });

  test("through a change, and while no process of Tidegate runs", async () => {
    const policy = first("auto", false);
    const expected = new ExpectedMetrics(policy);
    await startWith("first", policy);
    sendAll(expected);
    await publishBundle(store, edge.bundle("second", second(policy)));
    await daemon?.says(/acme: revision \d+ in force/);
    expected.follow(second(policy));
    // It waits until what was in force before is gone, with its counters.
    await edge.server.status();
    await agree(expected);
    sendAll(expected);
    await daemon?.end("SIGKILL");
    sendAll(expected);
    await start();
    await agree(expected);
    await remove();
  });

  test("where a firewall puts datagrams together, and a tunnel cannot carry a packet", async () => {
    const policy = first("auto", true);
    const expected = new ExpectedMetrics(policy);
    await startWith("stateful", policy);
    const piece = { start: 0, length: 24, more: true, dscp: 0, ttl: 64 };
    const pieces = ([4, 6] as const).flatMap((family) => [
      toAcme(pieceBytes(family, 77, piece)),
      toAcme(pieceBytes(family, 77, { ...piece, start: 24, length: 13, more: false })),
    ]);
    const alone = toAcme(pieceBytes(4, 78, piece));
    for (const bytes of [...pieces, alone]) expected.arrive(bytes);
    const wide = packet(`tcp 192.0.2.7:40000 > ${FTP}:21 flags=A len=1450`);
    const all = [...pieces, alone, wide].map((bytes) => [bytes, 1] as const);
    edge.server.ip(["link set up1 mtu 1400"]);
    send("client", "eth0", mac("up0"), all);
    edge.server.ip(["link set up1 mtu 1500"]);
    expected.tooLong(wide);
    // What comes out of the tunnel is counted as it comes, also where the rest never does.
    const back = BACK.flatMap(([bytes], id) => cutUp(bytes, 8, id).slice(0, 2));
    send(
      "site",
      "tunnel",
      mac("peer", "router"),
      back.map((bytes) => [bytes, 1] as const),
    );
    for (const bytes of back) expected.comeBack(bytes);
    await agree(expected);
    await remove();
  });

  test("of a stream that the kernel would merge to a few large ones", async () => {
    for (const uplink of ["up0", "up1"]) edge.server.run(["ethtool", "-K", uplink, "gro", "on"]);
    for (const namespace of ["client", "site"])
      edge.server.run(["nft", "delete", "table", "inet", "quiet"], { namespace });
    await startWith("stream", acme({ firewall: { ...acme().firewall, offload: "off" } }));
    const sink = `require("net").createServer((s) => s.resume().on("end", () => s.end()))
      .listen(21, "${FTP}", () => console.log("ready"));`;
    const server = await edge.start("site", sink);
    edge.script(
      "client",
      `require("net").connect({ host: "${FTP}", port: 21 }).on("close", () => process.exit())
        .resume().end(Buffer.alloc(1_000_000));`,
    );
    await server.end();
    const found = await scrape();
    const counted = (stage: string, name: string, action: string) =>
      ["packets", "bytes"].map((kind) =>
        found.get(
          `tidegate_${kind}_total{customer="acme",stage="${stage}",rule="${name}",action="${action}"}`,
        ),
      );
    expect(counted("mitigate", "default", "")[0]).toBeGreaterThan(1_000_000 / 1476);
    expect(counted("firewall", "ftp", "allow")).toEqual(counted("mitigate", "default", ""));
    expect(counted("other", "return-passed", "")[0]).toBe(
      found.get('tidegate_tunnel_packets_total{customer="acme",tunnel="chicago",kind="received"}'),
    );
    await remove();
    expect(edge.server.run(["ethtool", "-k", "up0"])).toMatch(/^generic-receive-offload: on$/m);
  });
});
