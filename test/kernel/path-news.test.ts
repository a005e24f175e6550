import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { deviceValue, endpointKey, ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { EdgeServer } from "../support/edge-server.js";
import { tunnel } from "../support/ir.js";
import { familyOf, outerPacket } from "../support/outer-packets.js";
import { tooBig } from "../support/too-big.js";

/**
 * What is too long for a tunnel's path, byte by byte: who is told, of what, and by whom; and of whom nobody is. Frames by hand, run
 * by the kernel's BPF test runs; what they leave to the kernel really comes to it, and it remembers.
 */

const ANYCAST = { 4: "198.18.0.1", 6: "2001:db8:ed6e::1" } as const;
const ISP = { 4: "100.64.0.9", 6: "2001:db8:64::9" } as const;
const PINS = "/run/bpf/gre";
/** TC_ACT_* of linux/pkt_cls.h. */
const ACTIONS = { 4294967295: "left alone", 2: "dropped", 7: "redirected" } as const;
const [DEVICE_MAC, PEER_MAC] = ["02000000000d", "020000000005"];

const TUNNELS = {
  keyed: tunnel("keyed", "198.51.100.1", { key: 0x01020304 }),
  plain: tunnel("plain", "198.51.100.2"),
  ipip: tunnel("ipip", "198.51.100.3", { kind: "ipip" }),
  over6: tunnel("over6", "2001:db8:c::1"),
  /** Of its path nobody says anything. */
  unheard: tunnel("unheard", "198.51.100.4"),
  /** Of its path somebody lies. */
  forged: tunnel("forged", "2001:db8:c::2"),
  /** Its path is known to be too narrow for IPv6. */
  narrow: tunnel("narrow", "198.51.101.1"),
  /** Its path is known, and begins with a link that has no Ethernet headers. */
  bare: tunnel("bare", "198.51.102.1"),
} as const;
type Name = keyof typeof TUNNELS;
const NAMES = Object.keys(TUNNELS) as readonly Name[];
const NARROW = 1300;

let server: EdgeServer;
let loader: Loader;
const ifindex = new Map<string, number>();

const anycastOf = ({ remote }: Tunnel) => ANYCAST[remote.family];

beforeAll(async () => {
  server = await EdgeServer.start();
  server.ip([
    "link add uplink address 02:00:00:00:00:0a type veth peer name far",
    "link set lo up",
    ...[`${ANYCAST[4]}/32`, `${ANYCAST[6]}/128 nodad`].map((address) => `addr add ${address} dev lo`),
    ...["198.51.100.254/24", "2001:db8:c::fe/64 nodad"].map((address) => `addr add ${address} dev uplink`),
    ...NAMES.map((name) => `link add ${name} type veth peer name ${name}-in`),
    "tuntap add dev wan mode tun",
    ...["uplink", "far", "wan", ...NAMES].map((name) => `link set ${name} addrgenmode none up`),
    `route add 198.51.101.0/24 via 198.51.100.1 mtu lock ${NARROW}`,
    `route add 198.51.102.0/24 dev wan mtu lock ${NARROW}`,
    "route add 100.64.0.0/24 via 198.51.100.1",
    "route add 2001:db8:64::/64 via 2001:db8:c::1",
  ]);
  server.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
  server.run(["sh", "-c", "mkdir /run/bpf && mount -t bpf bpf /run/bpf"]);
  const binary = join(packageRoot(), "dist/runtime/loader/tidegate-loader");
  loader = await Loader.start({ command: server.enter([binary]) });
  await loader.loadObject({ object: join(packageRoot(), "dist/bpf/gre.bpf.o"), pinDir: PINS, reuse: {} });
  for (const name of NAMES) await addTunnel(TUNNELS[name]);
  ifindex.set("uplink", await loader.ifindex("uplink"));
});

afterAll(async () => {
  await loader?.close();
  await server?.end();
});

async function addTunnel(made: Tunnel): Promise<void> {
  const { name } = made;
  const row = { ...made, device: `${name}-in`, peer: name, remote: formatAddress(made.remote) };
  const [index, anycast] = [await loader.ifindex(name), anycastOf(made)];
  ifindex.set(name, index);
  const value = deviceValue(index, "02:00:00:00:00:0d", "02:00:00:00:00:05");
  await loader.updateMap(`${PINS}/map_gre_tunnels`, [
    { key: ifindexKey(index), value: tunnelValue(row, anycast) },
  ]);
  await loader.updateMap(`${PINS}/map_gre_endpoints`, [{ key: endpointKey(row, anycast), value }]);
}

/** What a program does to a packet that comes in by a device, and the frame after it. */
function runProgram(program: string, device: string, packet: Uint8Array) {
  const path = (name: string) => join(server.folder, name);
  const context = Buffer.alloc(192);
  context.writeUInt32LE(ifindex.get(device) ?? 0, 40); // struct __sk_buff, ifindex
  const eth = Buffer.from(`02000000000a02000000000b${(packet[0] ?? 0) >> 4 === 6 ? "86dd" : "0800"}`, "hex");
  writeFileSync(path("in"), Buffer.concat([eth, packet]));
  writeFileSync(path("ctx"), context);
  const files = ["data_in", path("in"), "data_out", path("out"), "ctx_in", path("ctx")];
  const shown = server.run(["bpftool", "-j", "prog", "run", "pinned", `${PINS}/prog_${program}`, ...files]);
  const { retval } = JSON.parse(shown) as { retval: keyof typeof ACTIONS };
  const frame = readFileSync(path("out"));
  return {
    action: ACTIONS[retval] ?? `${retval}`,
    ethernet: hex(frame.subarray(0, 14)),
    packet: frame.subarray(14),
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** With "don't fragment"; nobody asks for the checksum of a quoted header. */
function whole(text: string): Buffer {
  const bytes = packetBytes(text);
  bytes.writeUInt8(bytes.readUInt8(6) | 0x40, 6);
  return bytes;
}

const SENDER = { 4: "192.0.2.7", 6: "2001:db8:1::7" } as const;
const ASKED = { 4: "203.0.113.9", 6: "2001:db8:a::9" } as const;
const LONG4 = whole(`udp ${SENDER[4]}:7 > ${ASKED[4]}:9 len=1450`);
const LONG6 = packetBytes(`udp [${SENDER[6]}]:7 > [${ASKED[6]}]:9 len=1450`);
const CUTTABLE = packetBytes(`udp ${SENDER[4]}:7 > ${ASKED[4]}:9 len=1450`);
/** Parts of datagrams: the first, and one behind it. */
const FIRST4 = whole(`proto=17 ${SENDER[4]} > ${ASKED[4]} frag=0+ id=1 len=1450`);
const LATER4 = whole(`proto=17 ${SENDER[4]} > ${ASKED[4]} frag=8 id=1 len=1450`);
const part6 = (proto: number, frag: string) =>
  packetBytes(`proto=${proto} ${SENDER[6]} > ${ASKED[6]} frag=${frag} id=1 len=1450`);
const [FIRST6, LATER6, LATER_TCP6] = [part6(17, "0+"), part6(17, "8"), part6(6, "8+")];

interface NewsChange {
  readonly mtu?: number;
  readonly quoted?: number;
}

/** Messages have 576 bytes at most, of IPv6 1280. */
const MOST_QUOTED = { 4: 548, 6: 1232 } as const;

/** What a router on a tunnel's path says when it cannot pass on what the tunnel made of a packet. */
function news(name: Name, inner: Uint8Array, change: NewsChange = {}): Buffer {
  const through = TUNNELS[name];
  const [source, destination] = [anycastOf(through), formatAddress(through.remote)];
  const sent = outerPacket(inner, through, { source, destination });
  const quote = sent.subarray(0, change.quoted ?? MOST_QUOTED[through.remote.family]);
  return tooBig({ from: ISP[through.remote.family], to: source, mtu: change.mtu ?? 1400, quote });
}

const answer = (inner: Uint8Array, mtu: number, quoted = 512): Buffer => {
  const family = familyOf(inner);
  return tooBig({ from: ASKED[family], to: SENDER[family], mtu, quote: inner.subarray(0, quoted) });
};

describe("news of a tunnel's path go to the sender of the packet", () => {
  const cases: readonly (readonly [string, Name, Buffer, number, NewsChange])[] = [
    ["IPv4 in GRE with a key", "keyed", LONG4, 1372, {}],
    ["IPv6 in GRE with a key", "keyed", LONG6, 1372, {}],
    ["IPv4 in GRE", "plain", LONG4, 1376, {}],
    ["IPv4 in IPv4", "ipip", LONG4, 1380, {}],
    ["IPv6 in IPv4", "ipip", LONG6, 1380, {}],
    ["IPv4 in GRE over IPv6", "over6", LONG4, 1356, {}],
    ["IPv6 in GRE over IPv6", "over6", LONG6, 1356, {}],
    ["from a router that says no MTU (RFC 1191, section 4)", "plain", LONG4, 528, { mtu: 0 }],
    ["that less fits than the kernel believes", "plain", LONG4, 528, { mtu: 300 }],
    ["that less fits than IPv6 has to carry", "plain", LONG6, 1280, { mtu: 1200 }],
    ["of an IPv4 datagram's first fragment", "keyed", FIRST4, 1372, {}],
    ["of an IPv6 datagram's first fragment", "keyed", FIRST6, 1372, {}],
    ["of a later one, which IPv6 has nothing against", "over6", LATER6, 1356, {}],
    ["of a later one of TCP", "ipip", LATER_TCP6, 1380, {}],
  ];
  test.each(cases)("%s", (_name, device, inner, mtu, change) => {
    const shown = runProgram("gre_decap", "uplink", news(device, inner, change));
    expect(hex(shown.packet)).toBe(hex(answer(inner, mtu)));
    expect(shown.ethernet).toBe(`${DEVICE_MAC}${PEER_MAC}${familyOf(inner) === 6 ? "86dd" : "0800"}`);
    expect(shown.action).toBe("redirected");
  });

  test("also if little is quoted, but no less than says whose packet it was", () => {
    const size = 24 + 48;
    const shown = runProgram("gre_decap", "uplink", news("plain", LONG4, { quoted: size }));
    expect(hex(shown.packet)).toBe(hex(answer(LONG4, 1376, 48)));
    for (const quoted of [size - 1, 28])
      expect(runProgram("gre_decap", "uplink", news("plain", LONG4, { quoted })).action).toBe("dropped");
  });

  test.each([
    ["plain", LONG4, 1376],
    ["plain", LONG6, 1376],
    ["over6", LONG6, 1356],
  ] as const)("of less than 512 bytes 48 are passed on, by %s", (name, inner, mtu) => {
    const size = { plain: 24, over6: 44 }[name];
    for (const rest of [49, 255, 477, 500, 511, 512, 513]) {
      const shown = runProgram("gre_decap", "uplink", news(name, inner, { quoted: size + rest }));
      expect([rest, hex(shown.packet)]).toEqual([rest, hex(answer(inner, mtu, rest < 512 ? 48 : 512))]);
      expect(shown.action).toBe("redirected");
    }
  });

  test.each(["keyed", "ipip", "over6"] as const)("and the server keeps to them from then on: %s", (name) => {
    runProgram("gre_decap", "uplink", news(name, LONG4, { mtu: 1350 }));
    const remote = formatAddress(TUNNELS[name].remote);
    expect(server.run(["ip", "route", "get", remote])).toContain("mtu 1350");
  });
});

describe("nobody is told", () => {
  const damaged = news("keyed", LONG4);
  damaged.writeUInt8(damaged.readUInt8(400) ^ 1, 400);
  const stranger = { ...TUNNELS.keyed, key: 5 };
  const elsewhere = tunnel("elsewhere", "198.51.100.77");
  const about = (of: Tunnel, to: string = ANYCAST[4], inner: Buffer = LONG4) => {
    const sent = outerPacket(inner, of, { source: ANYCAST[4], destination: formatAddress(of.remote) });
    return tooBig({ from: ISP[4], to, mtu: 1400, quote: sent.subarray(0, MOST_QUOTED[4]) });
  };
  /** An IPv6 packet, of which an end is IPv4's written as IPv6: as if it were of a tunnel over IPv4. */
  const aboutMapped = (source: string, destination: string) => {
    const sent = outerPacket(LONG4, { ...TUNNELS.over6, key: TUNNELS.plain.key }, { source, destination });
    return tooBig({ from: ISP[6], to: source, mtu: 1400, quote: sent.subarray(0, MOST_QUOTED[6]) });
  };
  const [mappedAnycast, mappedRemote] = [
    `::ffff:${ANYCAST[4]}`,
    `::ffff:${formatAddress(TUNNELS.plain.remote)}`,
  ];
  const unreachable = about(TUNNELS.plain);
  unreachable.writeUInt8(1, 21);

  test.each([
    ["of a message with a wrong checksum", damaged],
    ["of another key", about(stranger)],
    ["of a tunnel that there is not", about(elsewhere)],
    ["of what another address is said to have sent", about(TUNNELS.plain, "198.51.100.254")],
    ["of other errors", unreachable],
    ["of IPv4's ends in IPv6", aboutMapped(mappedAnycast, mappedRemote)],
    [
      "of a packet that fits",
      about(TUNNELS.plain, ANYCAST[4], whole(`udp ${SENDER[4]}:7 > ${ASKED[4]}:9 len=1376`)),
    ],
    [
      "of what is no tunnel's",
      tooBig({ from: ISP[4], to: ANYCAST[4], mtu: 1400, quote: LONG4.subarray(0, MOST_QUOTED[4]) }),
    ],
  ])("%s, which is left as it is", (_name, packet) => {
    const shown = runProgram("gre_decap", "uplink", packet);
    expect(shown.action).toBe("left alone");
    expect(hex(shown.packet)).toBe(hex(packet));
  });

  test.each([
    ["a packet that may be cut up", CUTTABLE, "left alone"],
    ["an error", whole(`icmp ${SENDER[4]} > ${ASKED[4]} type=3 code=1 len=1450`), "dropped"],
    [
      "IPv6 that may be an error, behind another header",
      Buffer.concat([
        packetBytes(`proto=60 [${SENDER[6]}] > [${ASKED[6]}] len=1450`).subarray(0, 40),
        Buffer.from("3a00010400000000", "hex"),
        Buffer.alloc(1402),
      ]),
      "dropped",
    ],
    ["an error of IPv6", packetBytes(`icmp6 ${SENDER[6]} > ${ASKED[6]} type=1 code=1 len=1450`), "dropped"],
    ["a later fragment", LATER4, "dropped"],
    ["a fragment of IPv6 that may be an error's", part6(58, "0+"), "dropped"],
    ["nobody's packet", whole(`udp 224.0.0.7:7 > ${ASKED[4]}:9 len=1450`), "dropped"],
  ])("of %s, but the server", (_name, inner, action) => {
    expect(runProgram("gre_decap", "uplink", news("plain", inner)).action).toBe(action);
  });
});

describe("what is too long for a path that is known", () => {
  test.each([
    ["IPv4", LONG4, NARROW - 24],
    ["IPv6", LONG6, 1280],
    ["an IPv4 datagram's first fragment", FIRST4, NARROW - 24],
    ["an IPv6 datagram's first fragment", FIRST6, 1280],
    ["a later one of IPv6", LATER6, 1280],
  ])("%s is answered, by the device that it came by", (_family, inner, mtu) => {
    const shown = runProgram("gre_encap", "narrow", inner);
    expect(hex(shown.packet)).toBe(hex(answer(inner, mtu)));
    expect(shown.ethernet.slice(0, 24)).toBe("02000000000b02000000000a");
    expect(shown.action).toBe("redirected");
  });

  test.each([
    ["IPv4 that may be cut up", CUTTABLE],
    [
      "IPv6 of a length that every path has to carry",
      packetBytes(`udp [${SENDER[6]}]:7 > [${ASKED[6]}]:9 len=1280`),
    ],
  ])("%s goes, and may be cut up outside", (_name, inner) => {
    const { action, packet } = runProgram("gre_encap", "narrow", inner);
    expect(action).toBe("redirected");
    expect(packet.readUInt16BE(2)).toBe(inner.length + 24);
    expect(packet.readUInt16BE(6)).toBe(0);
    expect(hex(packet.subarray(24))).toBe(hex(inner));
  });

  test.each([
    ["an error", whole(`icmp ${SENDER[4]} > ${ASKED[4]} type=3 code=1 len=1450`)],
    ["a later fragment of IPv4", LATER4],
    ["a fragment of IPv6 that may be an error's", part6(58, "8")],
  ])("%s is not answered", (_name, inner) => {
    expect(runProgram("gre_encap", "narrow", inner).action).toBe("dropped");
  });

  test("IPv6 in IPv6 still goes with what every path has to carry, whatever somebody says of the path", () => {
    const fits = packetBytes(`udp [${SENDER[6]}]:7 > [${ASKED[6]}]:9 len=1280`);
    const longer = packetBytes(`udp [${SENDER[6]}]:7 > [${ASKED[6]}]:9 len=1281`);
    expect(runProgram("gre_decap", "uplink", news("forged", LONG6, { mtu: 1280 })).action).toBe("redirected");
    expect(server.run(["ip", "route", "get", formatAddress(TUNNELS.forged.remote)])).toContain("mtu 1280");
    const { action, packet } = runProgram("gre_encap", "forged", fits);
    expect(action).toBe("redirected");
    expect(packet.length).toBe(1280 + 44);
    expect(hex(packet.subarray(44))).toBe(hex(fits));
    expect(hex(runProgram("gre_encap", "forged", longer).packet)).toBe(hex(answer(longer, 1280)));
  });
});

const cuttable = (len: number) => packetBytes(`udp ${SENDER[4]}:7 > ${ASKED[4]}:9 len=${len}`);

describe("what may be cut up goes as long as the uplink carries it, whatever headers that has", () => {
  test.each([
    ["narrow", "Ethernet's"],
    ["bare", "none"],
  ] as const)("by %s: %s", (through, _headers) => {
    for (const outer of [1400, 1486, 1487, 1500]) {
      const { action, packet } = runProgram("gre_encap", through, cuttable(outer - 24));
      expect([outer, action, packet.length]).toEqual([outer, "redirected", outer]);
    }
    expect(hex(runProgram("gre_encap", through, cuttable(1477)).packet)).toBe(
      hex(answer(cuttable(1477), 1476)),
    );
  });
});

describe("what is longer outside than the uplink carries", () => {
  const UPLINK = 1290;
  const fits = UPLINK - 24;
  const through = "unheard";

  beforeAll(() => server.ip([`link set uplink mtu ${UPLINK}`]));
  afterAll(() => server.ip(["link set uplink mtu 1500"]));

  test.each([
    ["IPv4 that may be cut up", CUTTABLE, fits],
    ["IPv4 that may not", LONG4, fits],
    ["a first fragment", packetBytes(`proto=17 ${SENDER[4]} > ${ASKED[4]} frag=0+ id=1 len=1450`), fits],
    ["IPv6", LONG6, 1280],
  ])("%s is answered, with what fits", (_name, inner, mtu) => {
    const { action, packet } = runProgram("gre_encap", through, inner);
    expect(hex(packet)).toBe(hex(answer(inner, mtu)));
    expect(action).toBe("redirected");
  });

  test.each([
    ["IPv6 that nobody can send shorter", packetBytes(`udp [${SENDER[6]}]:7 > [${ASKED[6]}]:9 len=1280`)],
    ["a later fragment of IPv4", packetBytes(`proto=17 ${SENDER[4]} > ${ASKED[4]} frag=8 id=1 len=1450`)],
  ])("%s is lost", (_name, inner) => {
    expect(runProgram("gre_encap", through, inner).action).toBe("dropped");
  });

  test("what may be cut up is told of no less than that, though the path behind is narrower", () => {
    const { packet } = runProgram("gre_encap", "plain", CUTTABLE);
    expect(server.run(["ip", "route", "get", formatAddress(TUNNELS.plain.remote)])).toMatch(
      /mtu (lock )?552/,
    );
    expect(hex(packet)).toBe(hex(answer(CUTTABLE, fits)));
  });

  test("what just fits goes", () => {
    expect(runProgram("gre_encap", through, cuttable(fits)).packet).toHaveLength(UPLINK);
  });
});
