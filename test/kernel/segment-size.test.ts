import { spawn } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packetBytes, sameButTtl } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Family } from "../../src/compiler/ir/address.js";
import { lowerSegmentSize } from "../../src/compiler/semantics/segment-size.js";
import { EDGE_LINK, tunnelDevice } from "../../src/targets/names.js";
import { nft } from "../../src/targets/nft/target.js";
import { acme } from "../support/acme-edge.js";
import { EdgeServer } from "../support/edge-server.js";
import { tunnel } from "../support/ir.js";
import { ACK, SYN, SYN_ACK, tcpPacket } from "../support/tcp-options.js";

/** The firewall's chain that lowers the MSS, by the kernel, held against the reference packet by packet. */

const NEAR = tunnel("near", "198.51.100.1", { mss: { 4: 1436, 6: 1416 } });
const FAR = tunnel("far", "198.51.100.2", { mss: { 4: 1300, 6: 1280 } });
/** What comes out of either may be answered by the other one. */
const LEAST = FAR.mss;

const WAYS = {
  in: { from: "outside", to: "site", mss: NEAR.mss },
  out: { from: "site", to: "outside", mss: LEAST },
};
type Way = keyof typeof WAYS;

let customer: EdgeServer;

beforeAll(async () => {
  customer = await EdgeServer.start();
  const ends = [
    [EDGE_LINK, "outside"],
    [tunnelDevice(NEAR), "site"],
  ] as const;
  customer.ip([
    ...ends.map(([, namespace]) => `netns add ${namespace}`),
    ...ends.map(([device, namespace]) => `link add ${device} type veth peer name eth0 netns ${namespace}`),
    ...ends.map(([device]) => `link set ${device} arp off addrgenmode none up`),
    ...["203.0.113.0/24", "2001:db8:a::/48"].map((to) => `route add ${to} dev ${tunnelDevice(NEAR)}`),
    ...["192.0.2.0/24", "2001:db8:1::/64"].map((to) => `route add ${to} dev ${EDGE_LINK}`),
  ]);
  for (const [, namespace] of ends) customer.ip(["link set eth0 arp off addrgenmode none up"], namespace);
  const loose = ["all", EDGE_LINK, tunnelDevice(NEAR)].map((device) => `net.ipv4.conf.${device}.rp_filter=0`);
  customer.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", ...loose]);
  const firewall = { default: "allow", rules: [], stateful: false, offload: "off" } as const;
  const [ruleset] = nft.emit(acme({ mitigate: [], firewall, tunnels: [NEAR, FAR], routes: [] }));
  customer.run(["nft", "-f", "-"], { input: `${ruleset?.text}` });
});

afterAll(() => customer?.end());

/** Sends packets through the customer's namespace; gives what comes out at its other side. */
async function passed(way: Way, packets: readonly Uint8Array[]): Promise<readonly Buffer[]> {
  const { from, to } = WAYS[way];
  const capture = [
    "tcpdump",
    "-i",
    "eth0",
    "-Q",
    "in",
    "--immediate-mode",
    "-U",
    "-B",
    "16384",
    "-s",
    "256",
    "-c",
    `${packets.length}`,
  ];
  const [command, ...args] = customer.enter([...capture, "-w", "-", "not ip6 multicast"], to);
  const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const reader = new PcapReader();
  tcpdump.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
  const ended = new Promise((resolve) => tcpdump.once("close", resolve));
  await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
  const device = way === "in" ? EDGE_LINK : tunnelDevice(NEAR);
  const [{ address = "" } = {}] = JSON.parse(customer.run(["ip", "-j", "link", "show", device])) as [
    { address?: string },
  ];
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  const input = Buffer.concat(packets.flatMap((packet) => [u32(packet.length), packet]));
  const [program, ...options] = customer.enter([wire, "eth0", address], from);
  const sender = spawn(program, options, { stdio: ["pipe", "ignore", "inherit"] });
  sender.stdin.end(input);
  await ended;
  return reader.packets;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

async function expectReference(way: Way, packets: readonly Uint8Array[]): Promise<void> {
  const seen = await passed(way, packets);
  expect(seen.length).toBe(packets.length);
  packets.forEach((packet, index) => {
    const expected = Buffer.from(lowerSegmentSize(packet, WAYS[way].mss));
    const got = seen[index] ?? Buffer.alloc(0);
    const text = `${Buffer.from(packet).toString("hex")} came as ${got.toString("hex")}`;
    expect(sameButTtl(got, expected), text).toBe(true);
  });
}

const ENDS = {
  in: { 4: ["192.0.2.7", "203.0.113.9"], 6: ["2001:db8:1::7", "2001:db8:a::9"] },
  out: { 4: ["203.0.113.9", "192.0.2.7"], 6: ["2001:db8:a::9", "2001:db8:1::7"] },
} as const;

const tcp = (way: Way, family: Family, flags: number, options: string) =>
  tcpPacket(ENDS[way][family], flags, options);

const CASES: readonly (readonly [name: string, flags: number, options: string])[] = [
  ["a SYN that promises too much", SYN, "020405b4"],
  ["a SYN with ACK that does", SYN_ACK, "0204ffff"],
  ["one that promises as much as is carried", SYN, "0204059c"],
  ["one that promises less", SYN, "02040218"],
  ["without options", SYN, ""],
  ["without this option", SYN, "0101080a 0000000100000002 0402 0000"],
  ["behind others", SYN, "0103030a 0402 0204ffff 0101"],
  ["with the option twice", SYN, "020405b4 020405b4"],
  ["that opens no connection", ACK, "020405b4"],
];

test.each(["in", "out"] as const)(
  "packets that go %s are changed as the reference says, and no others",
  async (way) => {
    const pieces = [
      ...([4, 6] as const).flatMap((family) =>
        CASES.map(([, flags, options]) => tcp(way, family, flags, options)),
      ),
      ...([4, 6] as const).flatMap((family) => others(ENDS[way][family]).map(packetBytes)),
    ];
    await expectReference(way, pieces);
  },
);

/** No TCP, or no header of it: what stands there only looks like a SYN with 1460. */
function others([source, destination]: readonly [string, string]): readonly string[] {
  const segment = "0fa0005000000000000000006002000000000000020405b4";
  const [from, to] = source.includes(".") ? [source, destination] : [`[${source}]`, `[${destination}]`];
  return [
    `udp ${from}:4000 > ${to}:80 payload=${segment}`,
    `proto=132 ${source} > ${destination} payload=${segment}`,
    `proto=6 ${source} > ${destination} frag=8 id=7 payload=${segment}`,
    `proto=6 ${source} > ${destination} frag=0+ id=7 payload=${segment}`,
  ];
}

/** Options of all sorts; each at an even place, as the checksum is not mended at an odd one. */
const option = fc.oneof(
  { weight: 3, arbitrary: fc.nat(0xffff).map((size) => `0204${size.toString(16).padStart(4, "0")}`) },
  fc.constantFrom("0101", "0402", "03030701", "080a0000000100000002", "fe04abcd"),
);
const last = fc.constantFrom("", "0000", "0200", "0201", "0202", "02030102", "0204", "0205", "0300", "ff");
const options = fc.tuple(fc.array(option, { maxLength: 4 }), last).map(([several, end]) => {
  const text = several.join("") + end;
  return text.slice(0, 80).padEnd(Math.ceil(Math.min(text.length, 80) / 8) * 8, "0");
});

test("and so are packets with whatever options, both ways", async () => {
  const arbitrary = fc.array(
    fc.record({
      family: fc.constantFrom<Family>(4, 6),
      flags: fc.constantFrom(SYN, SYN_ACK, ACK, 0xff),
      options,
    }),
    { minLength: 1000, maxLength: 1000 },
  );
  const [packets = []] = fc.sample(arbitrary, { numRuns: 1 });
  for (const way of ["in", "out"] as const)
    await expectReference(
      way,
      packets.map(({ family, flags, options }) => tcp(way, family, flags, options)),
    );
});

test("at an odd place Linux lowers it, too, and leaves a checksum behind that nobody takes", async () => {
  const [before, after] = ["01020405b4010101", "010204059c010101"].map((options) =>
    tcp("in", 4, SYN, options),
  );
  const [seen = Buffer.alloc(0)] = await passed("in", [before ?? Buffer.alloc(0)]);
  expect(seen.subarray(40, 48).toString("hex")).toBe("010204059c010101");
  expect(seen.readUInt16BE(36)).not.toBe(Buffer.from(after ?? []).readUInt16BE(36));
});
