import {
  type Attributes,
  attribute,
  FLAG,
  mac,
  message,
  readAttributes,
  readText,
  text,
  u8,
  u32,
} from "./message.js";
import { addressFamily, ask, type Network, OTHER_NAMESPACE, type Request } from "./network.js";

/** Devices: RTM_*LINK, with `struct ifinfomsg`. */
const RTM = { newLink: 16, delLink: 17, getLink: 18, setLink: 19 };

/** IFLA_* of linux/if_link.h. */
const IFLA = {
  address: 1,
  ifname: 3,
  mtu: 4,
  operstate: 16,
  linkinfo: 18,
  alias: 20,
  stats64: 23,
  afSpec: 26,
  netnsFd: 28,
  extMask: 29,
  gsoMaxSegs: 40,
  gsoMaxSize: 41,
  xdp: 43,
};
const INFO = { kind: 1, data: 2 };
const VETH_INFO_PEER = 1;
/** IFLA_BR_NF_CALL_*. */
const BRIDGE = { iptables: 36, ip6tables: 37 };
const XDP = { attached: 2, programId: 4 };

/** IFLA_INET6_ADDR_GEN_MODE, and the mode in which the kernel makes up no address. */
const ADDR_GEN_MODE = 8;
const ADDR_GEN_NONE = 1;

/** IFLA_INET6_CONF: numbers of 32 bits, in the order of DEVCONF_* (linux/ipv6.h). */
const INET6_CONF = 2;
const DEVCONF_MTU6 = 2;

/** RTEXT_FILTER_SKIP_STATS: nobody reads them but `traffic`. */
const SKIP_STATS = 8;

/** IFF_* of linux/if.h. */
const IFF = { up: 0x1, noArp: 0x80, multicast: 0x1000 };

/** A device as the kernel describes it, as far as it is needed here. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** Its Ethernet address; none for devices without. */
  readonly mac: string;
  /** Bytes of the longest packet that it carries. */
  readonly mtu: number;
  /** The same of IPv6: `net/ipv6/conf/DEVICE/mtu`, which a router's advertisement may lower (RFC 4861, 4.6.4). */
  readonly mtu6: number;
  /** What sort of device it is, as ip(8) names it: "veth", "bond"; null: a network card, or whatever else has no name for its sort. */
  readonly kind: string | null;
  /** As ip(8) says: UP, DOWN, UNKNOWN (up, for devices without a carrier). */
  readonly state: string;
  /** The XDP program, and how it is attached; null: none. */
  readonly xdp: { readonly mode: "native" | "generic"; readonly program: number } | null;
  /** Whether netfilter sees what a bridge receives before it is the bridge's; null: it is none. */
  readonly bridge: { readonly iptables: boolean; readonly ip6tables: boolean } | null;
}

/** A device by its name; undefined: there is none, or no such namespace. */
export async function findLink(network: Network, name: string): Promise<Link | undefined> {
  const mask = attribute(IFLA.extMask, u32(SKIP_STATS));
  const question = message(RTM.getLink, 0, ifinfo(), attribute(IFLA.ifname, text(name)), mask);
  const [answer] = await ask(network, `link show dev ${name}`, question, ["ENODEV"]);
  return answer && readLink(answer.body);
}

/** A device by its index. */
export async function linkAt(network: Network, index: number): Promise<Link | undefined> {
  const question = message(RTM.getLink, 0, ifinfo(index), attribute(IFLA.extMask, u32(SKIP_STATS)));
  const [answer] = await ask(network, `link show index ${index}`, question, ["ENODEV"]);
  return answer && readLink(answer.body);
}

/** What sort of device it is, and the parameters that only its sort has; undefined: there is no such device. */
export async function linkKind(
  network: Network,
  name: string,
): Promise<{ readonly kind: string; readonly data: Attributes } | undefined> {
  const question = message(RTM.getLink, 0, ifinfo(), attribute(IFLA.ifname, text(name)));
  const [answer] = await ask(network, `link show dev ${name}`, question, ["ENODEV"]);
  if (!answer) return undefined;
  const info = readAttributes(readAttributes(answer.body, IFINFO).get(IFLA.linkinfo) ?? Buffer.alloc(0));
  return {
    kind: readKind(info) ?? "",
    data: readAttributes(info.get(INFO.data) ?? Buffer.alloc(0)),
  };
}

/** All devices of a namespace. */
export async function allLinks(network: Network): Promise<readonly Link[]> {
  const mask = attribute(IFLA.extMask, u32(SKIP_STATS));
  const answers = await ask(network, "link show", message(RTM.getLink, FLAG.dump, ifinfo(), mask));
  return answers.map(({ body }) => readLink(body));
}

/** The names of all devices. */
export async function linkNames(network: Network): Promise<readonly string[]> {
  return (await allLinks(network)).map(({ name }) => name);
}

/** Packets and bytes in both directions, and packets that were lost; undefined: there is no such device. */
export async function linkCounters(network: Network, name: string): Promise<LinkCounters | undefined> {
  const question = message(RTM.getLink, 0, ifinfo(), attribute(IFLA.ifname, text(name)));
  const [answer] = await ask(network, `link show dev ${name}`, question, ["ENODEV"]);
  const stats = answer && readAttributes(answer.body, IFINFO).get(IFLA.stats64);
  if (!stats) return undefined;
  // struct rtnl_link_stats64: packets, bytes, errors and drops of both directions in turn, 64 bits each.
  const at = (index: number) => Number(stats.readBigUInt64LE(8 * index));
  return {
    received: { packets: at(0), bytes: at(2) },
    sent: { packets: at(1), bytes: at(3) },
    // What is too big for the way, or has none, is an error to the kernel (ip_tunnel_xmit).
    lost: at(4) + at(5) + at(6) + at(7),
  };
}

export interface LinkCounters {
  readonly received: { readonly packets: number; readonly bytes: number };
  readonly sent: { readonly packets: number; readonly bytes: number };
  readonly lost: number;
}

/** `struct ifinfomsg`: family, type, index, flags, and which flags are meant. */
const IFINFO = 16;

function ifinfo(index = 0, flags = 0, mask = 0): Buffer {
  const bytes = Buffer.alloc(IFINFO);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(mask, 12);
  return bytes;
}

/** By RFC 2863; index is IF_OPER_* of linux/if.h. */
const STATES = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/** XDP_ATTACHED_SKB of linux/if_link.h. */
const ATTACHED_GENERIC = 2;

function readLink(body: Buffer): Link {
  const attributes = readAttributes(body, IFINFO);
  const xdp = readAttributes(attributes.get(IFLA.xdp) ?? Buffer.alloc(0));
  const program = xdp.get(XDP.programId)?.readUInt32LE();
  const mode = xdp.get(XDP.attached)?.readUInt8() === ATTACHED_GENERIC ? "generic" : "native";
  const bytes = attributes.get(IFLA.address) ?? Buffer.alloc(0);
  const mtu = attributes.get(IFLA.mtu)?.readUInt32LE() ?? 0;
  const info = readAttributes(attributes.get(IFLA.linkinfo) ?? Buffer.alloc(0));
  return {
    name: readText(attributes.get(IFLA.ifname) ?? Buffer.alloc(0)),
    index: body.readInt32LE(4),
    mac: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    mtu,
    mtu6: readMtu6(attributes) ?? mtu,
    kind: readKind(info),
    state: STATES[attributes.get(IFLA.operstate)?.readUInt8() ?? 0] ?? "UNKNOWN",
    xdp: program === undefined ? null : { mode, program },
    bridge: readBridge(info),
  };
}

/** Undefined: the device has no IPv6. */
function readMtu6(attributes: Attributes): number | undefined {
  const families = readAttributes(attributes.get(IFLA.afSpec) ?? Buffer.alloc(0));
  const ipv6 = readAttributes(families.get(addressFamily(6)) ?? Buffer.alloc(0));
  return ipv6.get(INET6_CONF)?.readUInt32LE(4 * DEVCONF_MTU6);
}

function readKind(info: Attributes): string | null {
  const kind = info.get(INFO.kind);
  return kind ? readText(kind) : null;
}

function readBridge(info: Attributes): Link["bridge"] {
  if (readKind(info) !== "bridge") return null;
  const data = readAttributes(info.get(INFO.data) ?? Buffer.alloc(0));
  const isOn = (type: number) => data.get(type)?.readUInt8() === 1;
  return { iptables: isOn(BRIDGE.iptables), ip6tables: isOn(BRIDGE.ip6tables) };
}

/** Takes a device away, and with a veth its other end; one that is not there is as good. */
export async function deleteLink(network: Network, name: string): Promise<void> {
  const request = message(RTM.delLink, 0, ifinfo(), attribute(IFLA.ifname, text(name)));
  await ask(network, `link del dev ${name}`, request, ["ENODEV"]);
}

/** One end of a veth pair that is to be made. */
export interface VethEnd {
  readonly name: string;
  /** Its Ethernet address; without, the kernel makes one up. */
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
}

/** A pair of devices, of which the second is made in another namespace. */
export function addVeth(near: VethEnd, far: VethEnd, namespace: string): Request {
  const there = attribute(IFLA.netnsFd, u32(OTHER_NAMESPACE));
  const peer = attribute(VETH_INFO_PEER, ifinfo(), ...endAttributes(far), there);
  return {
    words: `link add dev ${near.name} type veth peer name ${far.name} netns ${namespace}`,
    devices: [],
    other: namespace,
    encode: () =>
      message(
        RTM.newLink,
        FLAG.create | FLAG.exclusive,
        ifinfo(),
        ...endAttributes(near),
        kind("veth", peer),
      ),
  };
}

function endAttributes({ name, mac: address, mtu }: VethEnd): readonly Buffer[] {
  return [
    attribute(IFLA.ifname, text(name)),
    ...(address === undefined ? [] : [attribute(IFLA.address, mac(address))]),
    ...(mtu === undefined ? [] : [attribute(IFLA.mtu, u32(mtu))]),
  ];
}

/** Makes a device of a kind, or gives one that is there the parameters in `data`, which are the kind's own. */
export function writeLink(
  verb: "add" | "change",
  name: string,
  kindName: string,
  data: readonly Buffer[],
): Request {
  const flags = verb === "add" ? FLAG.create | FLAG.exclusive : 0;
  return {
    words: `link ${verb} dev ${name} type ${kindName}`,
    devices: [],
    encode: () =>
      message(RTM.newLink, flags, ifinfo(), attribute(IFLA.ifname, text(name)), kind(kindName, ...data)),
  };
}

function kind(name: string, ...data: readonly Buffer[]): Buffer {
  // The kind alone is without a NUL: so is what ip(8) writes, and kernels take both.
  return attribute(IFLA.linkinfo, attribute(INFO.kind, Buffer.from(name)), attribute(INFO.data, ...data));
}

/** Moves a device to another namespace, where it gets another name. */
export function moveLink(device: string, namespace: string, name: string): Request {
  return {
    words: `link set dev ${device} netns ${namespace} name ${name}`,
    devices: [device],
    other: namespace,
    encode: (indexOf) =>
      message(
        RTM.setLink,
        0,
        ifinfo(indexOf(device)),
        attribute(IFLA.ifname, text(name)),
        attribute(IFLA.netnsFd, u32(OTHER_NAMESPACE)),
      ),
  };
}

/** What of a device is to be set; what is not named stays. */
export interface LinkSettings {
  readonly mtu?: number | undefined;
  /** A name for people. */
  readonly alias?: string;
  /** Never asks for a neighbour. */
  readonly noArp?: boolean;
  readonly noMulticast?: boolean;
  /** The kernel makes up no IPv6 address for it. */
  readonly noAddress?: boolean;
  /** Larger packets that were merged are cut up before they go out by it. */
  readonly gso?: { readonly size: number; readonly segments: number };
  readonly up?: boolean;
}

export function setLink(device: string, settings: LinkSettings): Request {
  const { mtu, alias, noArp = false, noMulticast = false, noAddress = false, gso, up = false } = settings;
  const flags = (noArp ? IFF.noArp : 0) | (up ? IFF.up : 0);
  const mask = flags | (noMulticast ? IFF.multicast : 0);
  const mode = attribute(addressFamily(6), attribute(ADDR_GEN_MODE, u8(ADDR_GEN_NONE)));
  const attributes = [
    attribute(IFLA.ifname, text(device)),
    ...(mtu === undefined ? [] : [attribute(IFLA.mtu, u32(mtu))]),
    ...(alias === undefined ? [] : [attribute(IFLA.alias, text(alias))]),
    ...(gso
      ? [attribute(IFLA.gsoMaxSize, u32(gso.size)), attribute(IFLA.gsoMaxSegs, u32(gso.segments))]
      : []),
    ...(noAddress ? [attribute(IFLA.afSpec, mode)] : []),
  ];
  const said = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return {
    words: `link set dev ${device} ${said.join(" ")}`,
    devices: [],
    encode: () => message(RTM.setLink, 0, ifinfo(0, flags, mask), ...attributes),
  };
}
