import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namedCounters, readCounter } from "../../runtime/counters.js";
import { deviceValue, endpointKey, ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { compileBpf } from "../support/bpf-object.js";
import { EdgeServer } from "../support/edge-server.js";
import { framed } from "../support/flows.js";

/** bpf-templates/gre.bpf.c byte by byte: frames by hand, run by the kernel's BPF test runs. */

const ANYCAST = "c6120001"; // 198.18.0.1
const ROUTER = "c6336401"; // 198.51.100.1
const PINS = "/run/bpf/gre";
/** TC_ACT_* of linux/pkt_cls.h. */
const ACTIONS = { 4294967295: "left alone", 2: "dropped", 7: "redirected" } as const;

const ROW = { kind: "gre", ttl: 61, mtu: 1400, dscp: "inherit", df: "set" } as const;

let server: EdgeServer;
let loader: Loader;
const ifindex = { plain: 0, keyed: 0, uplink: 0 };

beforeAll(async () => {
  server = await EdgeServer.start();
  server.ip([
    "link add uplink address 02:00:00:00:00:02 type veth peer name far address 02:00:00:00:00:0d",
    "addr add 198.51.100.254/24 dev uplink",
    ...["plain", "keyed"].map((name) => `link add ${name} type veth peer name ${name}-in`),
    ...["uplink", "far", "plain", "keyed"].map((name) => `link set ${name} addrgenmode none up`),
  ]);
  server.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
  server.run(["sh", "-c", "mkdir /run/bpf && mount -t bpf bpf /run/bpf"]);
  const binary = join(packageRoot(), "dist/runtime/loader/tidegate-loader");
  loader = await Loader.start({ command: server.enter([binary]) });
  await loader.loadObject({ object: join(packageRoot(), "dist/bpf/gre.bpf.o"), pinDir: PINS, reuse: {} });
  for (const [name, key] of [
    ["plain", null],
    ["keyed", 0x01020304],
  ] as const) {
    const row = { ...ROW, name, device: `${name}-in`, peer: name, remote: "198.51.100.1", key };
    const index = await loader.ifindex(name);
    ifindex[name] = index;
    const device = deviceValue(index, "02:00:00:00:00:0d", "02:00:00:00:00:05");
    await loader.updateMap(`${PINS}/map_gre_tunnels`, [
      { key: ifindexKey(index), value: tunnelValue(row, "198.18.0.1") },
    ]);
    await loader.updateMap(`${PINS}/map_gre_endpoints`, [
      { key: endpointKey(row, "198.18.0.1"), value: device },
    ]);
  }
  ifindex.uplink = await loader.ifindex("uplink");
});

afterAll(async () => {
  await loader?.close();
  await server?.end();
});

/** What a program does to a frame (hex) that comes in by a device, and the frame after it. */
function runProgram(
  program: string,
  device: keyof typeof ifindex,
  frame: string,
): { action: string; frame: string } {
  const path = (name: string) => join(server.folder, name);
  const context = Buffer.alloc(192);
  context.writeUInt32LE(ifindex[device], 40); // struct __sk_buff, ifindex
  writeFileSync(path("in"), Buffer.from(frame, "hex"));
  writeFileSync(path("ctx"), context);
  const files = ["data_in", path("in"), "data_out", path("out"), "ctx_in", path("ctx")];
  const shown = server.run(["bpftool", "-j", "prog", "run", "pinned", `${PINS}/prog_${program}`, ...files]);
  const { retval } = JSON.parse(shown) as { retval: keyof typeof ACTIONS };
  return { action: ACTIONS[retval] ?? `${retval}`, frame: readFileSync(path("out")).toString("hex") };
}

const hex = (value: number, bytes: number) => value.toString(16).padStart(2 * bytes, "0");

/** An IPv4 header as hex, with a right checksum. */
function ipv4(fields: {
  readonly tos?: number;
  readonly length: number;
  readonly fragment?: string;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly id?: string;
}): string {
  const { tos = 0, length, fragment = "0000", ttl, protocol, source, destination, id = "0000" } = fields;
  const parts = (checksum: string) =>
    `45${hex(tos, 1)}${hex(length, 2)}${id}${fragment}${hex(ttl, 1)}${hex(protocol, 1)}${checksum}${source}${destination}`;
  const words = parts("0000").match(/.{4}/g) ?? [];
  const sum = words.reduce((total, word) => total + Number.parseInt(word, 16), 0);
  const folded = (sum & 0xffff) + (sum >> 16);
  return parts(hex(~((folded & 0xffff) + (folded >> 16)) & 0xffff, 2));
}

const PAYLOAD = "00070009000c0000deadbeef"; // UDP from 7 to 9
const inner4 = (tos = 0) =>
  ipv4({ tos, length: 32, ttl: 63, protocol: 17, source: "cb007164", destination: "c0000207", id: "abcd" }) +
  PAYLOAD;
const inner6 = (trafficClass = 0) =>
  `6${hex(trafficClass, 1)}12345000c113f` +
  "20010db8000a0000000000000000000120010db800000000000000000000000" +
  `7${PAYLOAD}`;

const outer = (
  inner: string,
  more: { tos?: number; gre?: number; source?: string; fragment?: string } = {},
) =>
  ipv4({
    tos: more.tos ?? 0,
    length: 20 + (more.gre ?? 4) + inner.length / 2,
    fragment: more.fragment ?? "4000",
    ttl: 61,
    protocol: 47,
    source: more.source ?? ANYCAST,
    destination: more.source === undefined ? ROUTER : ANYCAST,
  });

const ethernet = (type: string, packet: string) => `02000000000202000000000a${type}${packet}`;
const [IP, IPV6] = ["0800", "86dd"];
const PLAIN4 = "00000800";
const PLAIN6 = "000086dd";
const KEYED4 = "2000080001020304";

describe("gre_encap puts around a packet what the kernel's GRE would", () => {
  const cases: readonly (readonly [string, "plain" | "keyed", string, string, string])[] = [
    ["IPv4", "plain", IP, inner4(), outer(inner4()) + PLAIN4 + inner4()],
    ["IPv6", "plain", IPV6, inner6(), outer(inner6()) + PLAIN6 + inner6()],
    ["IPv4 with a key", "keyed", IP, inner4(), outer(inner4(), { gre: 8 }) + KEYED4 + inner4()],
    ["DSCP and ECT(1)", "plain", IP, inner4(0xb9), outer(inner4(), { tos: 0xb9 }) + PLAIN4 + inner4(0xb9)],
    [
      "IPv6 traffic class",
      "plain",
      IPV6,
      inner6(0xb8),
      outer(inner6(), { tos: 0xb8 }) + PLAIN6 + inner6(0xb8),
    ],
    [
      "CE, which becomes ECT(0)",
      "plain",
      IP,
      inner4(0xbb),
      outer(inner4(), { tos: 0xba }) + PLAIN4 + inner4(0xbb),
    ],
  ];
  test.each(cases)("%s", (_name, device, type, packet, expected) => {
    const { action, frame } = runProgram("gre_encap", device, ethernet(type, packet));
    expect(action).toBe("redirected");
    expect(frame.slice(24)).toBe(IP + expected);
  });

  test.each([
    ["ARP", "plain", "0806", "0001080006040001".padEnd(92, "0")],
    ["a device without a tunnel", "uplink", IP, inner4()],
    ["a version that is not its EtherType's", "plain", IP, `6${inner4().slice(1)}`],
  ] as const)("drops %s", (_name, device, type, packet) => {
    expect(runProgram("gre_encap", device, ethernet(type, packet)).action).toBe("dropped");
  });
});

describe("gre_decap hands the inside to the tunnel's device", () => {
  const from = (inner: string, more: Parameters<typeof outer>[1] = {}) =>
    outer(inner, { source: ROUTER, ...more });
  /** To the device's address, from the other end's. */
  const delivered = (type: string, inner: string) => `02000000000d020000000005${type}${inner}`;
  const cases: readonly (readonly [string, string, string])[] = [
    ["IPv4", from(inner4()) + PLAIN4 + inner4(), delivered(IP, inner4())],
    ["IPv6", from(inner6()) + PLAIN6 + inner6(), delivered(IPV6, inner6())],
    ["IPv4 with a key", from(inner4(), { gre: 8 }) + KEYED4 + inner4(), delivered(IP, inner4())],
    [
      "IPv4 with a sequence number",
      `${from(inner4(), { gre: 8 })}1000080000000001${inner4()}`,
      delivered(IP, inner4()),
    ],
    [
      "without Ethernet's padding",
      `${from(inner4())}${PLAIN4}${inner4()}000000000000`,
      delivered(IP, inner4()),
    ],
    [
      "CE outside and ECT(0) inside: CE",
      from(inner4(), { tos: 3 }) + PLAIN4 + inner4(2),
      delivered(IP, inner4(3)),
    ],
    ["the same for IPv6", from(inner6(), { tos: 3 }) + PLAIN6 + inner6(2), delivered(IPV6, inner6(3))],
    ["CE inside stays", from(inner4()) + PLAIN4 + inner4(3), delivered(IP, inner4(3))],
  ];
  test.each(cases)("%s", (_name, packet, expected) => {
    expect(runProgram("gre_decap", "uplink", ethernet(IP, packet))).toEqual({
      action: "redirected",
      frame: expected,
    });
  });

  test.each([
    ["CE outside of a packet that does not know ECN", from(inner4(), { tos: 3 }) + PLAIN4 + inner4()],
    ["a wrong outer checksum", from(inner4()).replace(/(.{20}).{4}/, "$1ffff") + PLAIN4 + inner4()],
    ["a checksum, of which the tunnel has none", `${from(inner4(), { gre: 8 })}8000080000000000${inner4()}`],
    ["an outer length beyond the frame", from(`${inner4()}00`) + PLAIN4 + inner4()],
  ])("drops %s", (_name, packet) => {
    expect(runProgram("gre_decap", "uplink", ethernet(IP, packet)).action).toBe("dropped");
  });

  const strange: readonly (readonly [string, string | null, string])[] = [
    ["GRE from a stranger", "unknown", outer(inner4(), { source: "c6336402" }) + PLAIN4 + inner4()],
    ["an unknown key", "unknown", `${from(inner4(), { gre: 8 })}2000080001020305${inner4()}`],
    ["a first fragment", "fragment", from(inner4(), { fragment: "2000" }) + PLAIN4 + inner4()],
    ["a later fragment", "fragment", from(inner4(), { fragment: "0010" }) + PLAIN4 + inner4()],
    ["a routing flag", "unsupported", `${from(inner4(), { gre: 8 })}4000080000000000${inner4()}`],
    ["version 1 (PPTP)", "unsupported", `${from(inner4())}00010800${inner4()}`],
    ["something else than IP inside", "unsupported", `${from(inner4())}00006558${inner4()}`],
    ["UDP", null, inner4()],
  ];
  test.each(strange)("leaves %s alone", async (_name, counter, packet) => {
    const before = await leftAlone();
    const frame = ethernet(IP, packet);
    expect(runProgram("gre_decap", "uplink", frame)).toEqual({ action: "left alone", frame });
    const after = await leftAlone();
    const grown = Object.keys(after).filter((name) => after[name]?.packets !== before[name]?.packets);
    expect(grown).toEqual(counter === null ? [] : [counter]);
  });
});

async function leftAlone() {
  const names = ["unknown", "fragment", "unsupported"];
  return namedCounters(await loader.dumpMap(`${PINS}/map_gre_left_alone`), names);
}

test("a tunnel counts the bytes of inner packets", async () => {
  const sent = async () => {
    const entries = await loader.dumpMap(`${PINS}/map_gre_counters`);
    const own = entries.find(({ key }) => key.equals(ifindexKey(ifindex.keyed)));
    return own?.values.reduce((sum, value) => sum + readCounter(value).bytes, 0) ?? 0;
  };
  const before = await sent();
  runProgram("gre_encap", "keyed", ethernet(IP, inner4()));
  expect((await sent()) - before).toBe(32);
});

describe("a filter of the node's own, behind our classifier", () => {
  const slot = { direction: "ingress", device: "uplink", handle: 1 } as const;
  const [own, behind] = [
    { ...slot, priority: 1 },
    { ...slot, priority: 2 },
  ];
  const tunnelled = outer(inner4(), { source: ROUTER }) + PLAIN4 + inner4();
  /** An error of another kind than those that say what fits. */
  const error = ipv4({ length: 28, ttl: 60, protocol: 1, source: ROUTER, destination: ANYCAST });
  const leftToNode = [
    inner4(),
    outer(inner4(), { source: "c6336402" }) + PLAIN4 + inner4(),
    outer(inner4(), { source: ROUTER, fragment: "2000" }) + PLAIN4 + inner4(),
    `${error}0301000000000000`,
  ];

  beforeAll(async () => {
    const object = join(server.folder, "drop.bpf.o");
    compileBpf(object, 'SEC("tc") int drop(struct __sk_buff *skb) { return 2; /* TC_ACT_SHOT */ }');
    await loader.loadObject({ object, pinDir: "/run/bpf/own", reuse: {} });
    await loader.attachTc({ ...own, program: `${PINS}/prog_gre_decap` });
    const chain = "chain c { type filter hook prerouting priority 0; }";
    const counting = 'add rule inet came c iifname "uplink" meta nfproto ipv4 counter';
    server.run(["nft", `table inet came { ${chain}; }; ${counting}`]);
  });

  afterAll(() => loader.detachTc(own));

  /** How many of them came to the node, and how many to the tunnel. */
  async function send(packets: readonly string[]) {
    const counts = async () => {
      const [, node] =
        /counter packets (\d+)/.exec(server.run(["nft", "list", "table", "inet", "came"])) ?? [];
      const entries = await loader.dumpMap(`${PINS}/map_gre_counters`);
      const plain = entries.find(({ key }) => key.equals(ifindexKey(ifindex.plain)));
      const tunnel = plain?.values.reduce((sum, value) => sum + readCounter(value, 1).packets, 0) ?? 0;
      return { node: Number(node), tunnel };
    };
    const before = await counts();
    const wire = [join(packageRoot(), "dist/examples/lab/wire"), "far", "02:00:00:00:00:02"];
    const [command, ...args] = server.enter(wire);
    execFileSync(command, args, { input: framed(packets.map((packet) => Buffer.from(packet, "hex"))) });
    const after = await counts();
    return { node: after.node - before.node, tunnel: after.tunnel - before.tunnel };
  }

  test("sees what is no tunnel's, and drops it; what is a tunnel's has gone there before", async () => {
    const packets = [...leftToNode, tunnelled];
    expect(await send(packets)).toEqual({ node: leftToNode.length, tunnel: 1 });
    await loader.attachTc({ ...behind, program: "/run/bpf/own/prog_drop" });
    expect(await send(packets)).toEqual({ node: 0, tunnel: 1 });
    await loader.detachTc(behind);
    expect(await send(packets)).toEqual({ node: leftToNode.length, tunnel: 1 });
  });
});

describe("a packet out of one tunnel and into another, which never crossed a wire between", () => {
  beforeAll(async () => {
    const mac = "02:00:00:00:00:0d";
    server.ip([
      ...["plain-in", "keyed-in"].map((name) => `link set ${name} addrgenmode none up`),
      "addr add 192.0.2.1/24 dev plain-in",
      "addr add 2001:db8:a::1/64 dev plain-in nodad",
      ...["192.0.2.2", "2001:db8:a::2"].map((to) => `neigh replace ${to} lladdr ${mac} dev plain-in`),
      `neigh replace 198.51.100.1 lladdr ${mac} dev uplink`,
    ]);
    // The far end of the uplink sends what `plain` encapsulates into `keyed`.
    const row = { ...ROW, name: "back", device: "", peer: "", remote: "198.18.0.1", key: null };
    const device = deviceValue(await loader.ifindex("keyed-in"), mac, mac);
    const endpoint = { key: endpointKey(row, "198.51.100.1"), value: device };
    await loader.updateMap(`${PINS}/map_gre_endpoints`, [endpoint]);
    for (const [on, program] of [
      ["plain", "gre_encap"],
      ["keyed", "gre_encap"],
      ["far", "gre_decap"],
    ] as const) {
      const slot = { direction: "ingress", priority: 1, handle: 1 } as const;
      await loader.attachTc({ ...slot, device: on, program: `${PINS}/prog_${program}` });
    }
  });

  test.each([
    ["IPv4", "udp4", "192.0.2.2", PLAIN4, KEYED4],
    ["IPv6", "udp6", "2001:db8:a::2", PLAIN6, "200086dd01020304"],
  ])("%s", async (_name, socket, to, plain, keyed) => {
    const capture = ["tcpdump", "-i", "far", "-c", "2", "--immediate-mode", "-n", "-xx", "ip proto 47"];
    const [command, ...args] = server.enter(capture);
    const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let shown = "";
    tcpdump.stdout.on("data", (chunk: Buffer) => {
      shown += chunk;
    });
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    const send = `const s = require("dgram").createSocket("${socket}"); s.send("x".repeat(99), 9, "${to}", () => s.close());`;
    server.run(["node", "-e", send]);
    await ended;
    const [once, again] = shown
      .split(/^[^\t].*$/m)
      .map((frame) => frame.replace(/^\t0x.{4}:|\s/gm, ""))
      .filter((frame) => frame !== "");
    const inner = once?.slice(2 * 38) ?? "";
    expect(inner.length).toBeGreaterThan(2 * 99);
    expect(once?.slice(2 * 34)).toBe(plain + inner);
    expect(again?.slice(2 * 14)).toBe(outer(inner, { gre: 8 }) + keyed + inner);
  });
});
