import { addressBytes } from "../prefix.js";
import { linkKind, writeLink } from "./link.js";
import { attribute, readAttributes, u8, u16be, u32, u32be } from "./message.js";
import type { Network, Request } from "./network.js";

/** GRE over IPv4 and IPv6; IP in IP, of which sit and ip6tnl carry both families (`mode any`). */
export type TunnelDeviceType = "gre" | "ip6gre" | "sit" | "ip6tnl";

/** A tunnel's device of the kernel's. */
export interface TunnelDevice {
  readonly name: string;
  readonly type: TunnelDeviceType;
  readonly local: string;
  readonly remote: string;
  /** TTL or hop limit of the outer header. */
  readonly ttl: number | "inherit";
  /** The outer header's octet of DSCP and ECN; `inherit`: the inner packet's. */
  readonly trafficClass: number | "inherit";
  /** "Don't fragment" of an outer IPv4 header is the inner one's, else it is set. */
  readonly inheritDf: boolean;
  /** Of GRE. */
  readonly key: number | null;
}

/** IFLA_GRE_* and IFLA_IPTUN_* of linux/if_tunnel.h. */
const GRE = {
  ...{ iflags: 2, oflags: 3, ikey: 4, okey: 5, local: 6, remote: 7, ttl: 8, tos: 9, discovery: 10 },
  ...{ flowInfo: 12, flags: 13 },
};
const IPTUN = { local: 2, remote: 3, ttl: 4, tos: 5, flowInfo: 7, flags: 8, protocol: 9, discovery: 10 };

/** GRE_KEY, in network order. */
const GRE_KEY = 0x2000;

/** The lowest bit of the outer TOS says: as the inner one (ip_tunnel_xmit). */
const TOS_INHERIT = 1;

/** IP6_TNL_F_* of linux/ip6_tunnel.h: no option that limits encapsulation; the inner packet's traffic class. */
const NO_ENCAPSULATION_LIMIT = 0x1;
const INNER_TRAFFIC_CLASS = 0x2;
/** The kernel tells of what a tunnel can do in the same word, from IP6_TNL_F_CAP_XMIT (0x10000) on. */
const OWN_FLAGS = 0xffff;

/** Of the flow information (RFC 8200 section 3) the traffic class is the octet behind the version. */
const TRAFFIC_CLASS_SHIFT = 20;

/** All protocols that the device knows: IPv4 and IPv6 inside. */
const ANY_PROTOCOL = 0;

export function addTunnel(device: TunnelDevice): Request {
  return writeTunnel("add", device);
}

/** Gives a device that is there these parameters, in one step (ipgre_changelink and its like). */
export function changeTunnel(device: TunnelDevice): Request {
  return writeTunnel("change", device);
}

/** Is there a device of this name with these parameters? */
export async function isTunnel(network: Network, device: TunnelDevice): Promise<boolean> {
  const found = await linkKind(network, device.name);
  if (found?.kind !== device.type) return false;
  const meant = readAttributes(Buffer.concat(parameters(device)));
  const at = attributesOf(device);
  return [...meant].every(([type, value]) => {
    const is = found.data.get(type);
    if (type === at.flags)
      return is !== undefined && (is.readUInt32LE() & OWN_FLAGS) === value.readUInt32LE();
    // A sit device with a TTL of its own has "don't fragment" set, whatever it was told (ipip6_netlink_parms).
    if (type === at.discovery && device.type === "sit") return true;
    return is?.equals(value) === true;
  });
}

function attributesOf({ type }: TunnelDevice): typeof GRE | typeof IPTUN {
  return type === "gre" || type === "ip6gre" ? GRE : IPTUN;
}

function writeTunnel(verb: "add" | "change", device: TunnelDevice): Request {
  const { name, type, local, remote } = device;
  const { words, ...request } = writeLink(verb, name, type, parameters(device));
  return { words: `${words} local ${local} remote ${remote}`, ...request };
}

function parameters(device: TunnelDevice): readonly Buffer[] {
  const { type, local, remote } = device;
  const at = attributesOf(device);
  return [
    ...(at === GRE ? keyAttributes(device.key) : [attribute(IPTUN.protocol, u8(ANY_PROTOCOL))]),
    attribute(at.local, bytesOf(local)),
    attribute(at.remote, bytesOf(remote)),
    attribute(at.ttl, u8(device.ttl === "inherit" ? 0 : device.ttl)),
    ...(type === "ip6gre" || type === "ip6tnl" ? overIpv6(device, at) : overIpv4(device, at)),
  ];
}

function keyAttributes(key: number | null): readonly Buffer[] {
  const flags = u16be(key === null ? 0 : GRE_KEY);
  const keys = key === null ? [] : [attribute(GRE.ikey, u32be(key)), attribute(GRE.okey, u32be(key))];
  return [...keys, attribute(GRE.iflags, flags), attribute(GRE.oflags, flags)];
}

function overIpv4(
  { trafficClass, inheritDf }: TunnelDevice,
  at: typeof GRE | typeof IPTUN,
): readonly Buffer[] {
  return [
    attribute(at.tos, u8(trafficClass === "inherit" ? TOS_INHERIT : trafficClass)),
    attribute(at.discovery, u8(inheritDf ? 0 : 1)),
  ];
}

function overIpv6({ trafficClass }: TunnelDevice, at: typeof GRE | typeof IPTUN): readonly Buffer[] {
  const inherits = trafficClass === "inherit";
  return [
    attribute(at.flowInfo, u32be(inherits ? 0 : trafficClass << TRAFFIC_CLASS_SHIFT)),
    attribute(at.flags, u32(NO_ENCAPSULATION_LIMIT | (inherits ? INNER_TRAFFIC_CLASS : 0))),
  ];
}

function bytesOf(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (!bytes) throw new Error(`\`${address}\` is not an address`);
  return bytes;
}
