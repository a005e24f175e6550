import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { packageRoot } from "../../runtime/native-process.js";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, NODE, owned } from "./acme-edge.js";
import { framed } from "./flows.js";
import { tunnel } from "./ir.js";
import { familyOf, type Outside, outerPacket } from "./outer-packets.js";

export const over4 = (end: number) => `198.51.100.${end}`;
export const over6 = (end: number) => `2001:db8:c::${end}`;
const CHOSEN = { ttl: "inherit", dscp: 46, df: "inherit" } as const;
const CHOSEN6 = { ...CHOSEN, df: "set" } as const;

/** One of each kind, as it is when nothing is said and with all chosen. */
export const TUNNELS: readonly Tunnel[] = [
  tunnel("gre4", over4(11)),
  tunnel("gre4-keyed", over4(11), { key: 0x01020304 }),
  tunnel("gre4-chosen", over4(12), CHOSEN),
  tunnel("gre6", over6(11)),
  tunnel("gre6-chosen", over6(12), { ...CHOSEN6, key: 7 }),
  tunnel("ipip4", over4(11), { kind: "ipip" }),
  tunnel("ipip4-chosen", over4(12), { kind: "ipip", ...CHOSEN }),
  tunnel("ipip6", over6(11), { kind: "ipip" }),
  tunnel("ipip6-chosen", over6(12), { kind: "ipip", ...CHOSEN6 }),
].map((one) => ({ ...one, mtu: 1400, mss: null }));

/** Each tunnel has a host of either family behind it. */
export const hosts = (index: number) => [`203.0.113.${index + 1}`, `2001:db8:a::${index + 1}`] as const;
export const CLIENT = "192.0.2.7";
export const CLIENT6 = "2001:db8:1::7";

/** An edge server with these tunnels. The client and the router have wires of their own to it, and answer nothing. */
export class KindsEdge {
  private constructor(
    readonly server: AcmeEdge["server"],
    /** Ethernet addresses of the edge's devices. */
    readonly macs: Readonly<Record<"up0" | "up1", string>>,
  ) {}

  static async start(): Promise<KindsEdge> {
    const edge = await AcmeEdge.start();
    const { server } = edge;
    const macOf = (device: string, namespace?: string) => {
      const shown = server.run(["ip", "-j", "link", "show", device], namespace ? { namespace } : {});
      return (JSON.parse(shown) as readonly { readonly address: string }[])[0]?.address ?? "";
    };
    const macs = { up0: macOf("up0"), up1: macOf("up1") };
    const [client, router] = [macOf("eth0", "client"), macOf("eth0", "router")];
    server.ip([
      ...[CLIENT, CLIENT6].map((address) => `neigh replace ${address} lladdr ${client} dev up0`),
      ...[11, 12]
        .flatMap((end) => [over4(end), over6(end)])
        .map((address) => `neigh replace ${address} lladdr ${router} dev up1`),
    ]);
    // Else the router says that there is nobody.
    const silent = "table inet t { chain c { type filter hook prerouting priority -300; policy drop; }; }";
    for (const namespace of ["client", "router"]) server.run(["nft", silent], { namespace });
    await server.apply(edge.bundle("kinds", policyOf()), NODE);
    return new KindsEdge(server, macs);
  }

  async end(): Promise<void> {
    await this.server.end();
  }

  /** Puts packets on a wire of the edge, `strays` to another machine first; gives the first `count` that come out at the other one. */
  async passed(
    way: "into tunnels" | "out of tunnels",
    packets: readonly Uint8Array[],
    count: number,
    strays: readonly Uint8Array[] = [],
    etherType = 0,
  ): Promise<readonly Buffer[]> {
    const [from, to, mac] =
      way === "into tunnels"
        ? (["client", "router", this.macs.up0] as const)
        : (["router", "client", this.macs.up1] as const);
    const filter = "not ip6 multicast and not icmp6 and not arp";
    const capture = ["tcpdump", "-i", "eth0", "-Q", "in", "--immediate-mode", "-U", "-B", "16384", "-w", "-"];
    const [command, ...args] = this.server.enter([...capture, "-c", `${count}`, filter], to);
    const tcpdump = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const reader = new PcapReader();
    tcpdump.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    if (strays.length > 0) this.put(from, FOREIGN_MAC, strays);
    this.put(from, mac, packets, etherType);
    await ended;
    return reader.packets;
  }

  /** `etherType`: 0, or what the frames are said to hold instead of IP. */
  put(namespace: string, mac: string, packets: readonly Uint8Array[], etherType = 0): void {
    const wire = [join(packageRoot(), "dist/examples/lab/wire"), "eth0", mac];
    wire.push(`${packets.length}`, "0", `${etherType}`);
    const [command, ...args] = this.server.enter(wire, namespace);
    execFileSync(command, args, { input: framed(packets) });
  }
}

/** Another machine's, of those that may be on the same wire. */
const FOREIGN_MAC = "02:00:00:00:00:fe";

function policyOf() {
  return acme({
    mitigate: [],
    firewall: { default: "allow", rules: [], stateful: false, offload: "off" },
    tunnels: TUNNELS,
    routes: TUNNELS.flatMap(({ name }, index) =>
      hosts(index).map((host) => ({
        ...owned(`${host}/${host.includes(":") ? 128 : 32}`),
        ...{ tunnel: name, priority: 100, weight: 1 },
      })),
    ),
  });
}

/** From the hosts behind a tunnel to the client. */
export function fromHosts(index: number): readonly Buffer[] {
  const [host, host6] = hosts(index);
  return [
    packetBytes(`udp ${host}:7 > ${CLIENT}:9 ttl=44 payload=78`),
    packetBytes(`udp [${host6}]:7 > [${CLIENT6}]:9 ttl=33 payload=78`),
  ];
}

export function endsOf({ remote }: Tunnel): { readonly anycast: string; readonly router: string } {
  const [ipv4 = "", ipv6 = ""] = NODE.anycast;
  return { anycast: remote.family === 4 ? ipv4 : ipv6, router: formatAddress(remote) };
}

/** Outside of what comes from the router. */
export function inwards(one: Tunnel): Outside {
  const { anycast, router } = endsOf(one);
  return { source: router, destination: anycast };
}

/** What comes out in any case, marked inside. */
export function plainOne(mark: number, index = 0): Buffer {
  const [plain] = fromHosts(index);
  const one = TUNNELS[index];
  if (!plain || !one) throw new Error(`there is no tunnel ${index}`);
  return outerPacket(withMark(plain, mark), one, inwards(one));
}

const portAt = (packet: Uint8Array) => (familyOf(packet) === 4 ? 20 : 40);

export function withMark(packet: Buffer, mark: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(mark, portAt(copy));
  return copy;
}

/** Marks of what came out. */
export function marksOf(packets: readonly Buffer[]): readonly number[] {
  return packets.map((packet) => packet.readUInt16BE(portAt(packet)));
}
