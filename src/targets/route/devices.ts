import { namespaceName } from "../names.js";
import type { TunnelRow } from "./tunnels.js";

/**
 * The two ways to make a tunnel's device. The runtime takes one of them, in the default namespace, and puts the node's
 * address of the outer header's family for `$anycast4` or `$anycast6`; then it runs `upLines` in the customer's namespace.
 */

/** Ethernet addresses of a tunnel's veth pair. Each pair is a wire of its own, so all may have the same. */
const PEER_MAC = "02:54:47:00:00:01";
const DEVICE_MAC = "02:54:47:00:00:02";

/**
 * The kernel's own device: GRE (RFC 2784, RFC 2890), or IP in IP, of which sit and ip6tnl carry both families (`mode any`). It is
 * made in the default namespace, under the name that only this tunnel of this customer has, and then moved: a moved tunnel
 * keeps its underlay where it was made. (`link add … netns` would not do: before Linux 6.15 ip_tunnel_newlink takes the
 * underlay from the namespace that the device is made in.)
 */
export function kernelLines(tunnel: TunnelRow, customer: string): readonly string[] {
  const { device, peer, key } = tunnel;
  const way = tunnel.remote.includes(":") ? overIpv6(tunnel) : overIpv4(tunnel);
  return [
    `link add dev ${peer} type ${way}${key === null ? "" : ` key ${key}`}`,
    `link set dev ${peer} netns ${namespaceName(customer)} name ${device}`,
  ];
}

/**
 * `tos inherit` carries DSCP and ECN to the outer header. By default the outer header says "don't fragment" (`pmtudisc`, the
 * kernel's default and RFC 7588's): what is too long for the device's MTU is cut or refused before, by its own DF.
 */
function overIpv4({ kind, remote, ttl, dscp, df }: TunnelRow): string {
  const type = kind === "gre" ? "gre" : "sit mode any";
  const discovery = df === "set" ? "pmtudisc" : "nopmtudisc";
  return `${type} local $anycast4 remote ${remote} ttl ${ttl} tos ${trafficClass(dscp)} ${discovery}`;
}

/** Without the option that limits how often a packet is encapsulated (RFC 2473, 4.1.1): it takes 8 bytes of each. */
function overIpv6({ kind, remote, ttl, dscp }: TunnelRow): string {
  const type = kind === "gre" ? "ip6gre" : "ip6tnl mode any";
  const header = `hoplimit ${ttl} tclass ${trafficClass(dscp)} encaplimit none`;
  return `${type} local $anycast6 remote ${remote} ${header}`;
}

/** DSCP is the upper six bits of the octet (RFC 2474), which ip(8) reads as hexadecimal. */
function trafficClass(dscp: TunnelRow["dscp"]): string {
  return dscp === "inherit" ? dscp : `0x${(dscp << 2).toString(16).padStart(2, "0")}`;
}

/**
 * A veth pair whose default end the eBPF datapath serves. Nobody answers ARP or neighbour solicitations there. Its MTU is
 * that of the tunnel, as veth drops what is longer than the receiving end's.
 */
export function vethLines({ device, peer, mtu }: TunnelRow, customer: string): readonly string[] {
  const inside = `peer name ${device} netns ${namespaceName(customer)} mtu ${mtu} address ${DEVICE_MAC}`;
  return [
    `link add dev ${peer} mtu ${mtu} address ${PEER_MAC} type veth ${inside}`,
    `link set dev ${peer} ${silent(mtu)} up`,
  ];
}

/** Brings the device up in the customer's namespace, either kind of it; it speaks for nobody, so it has no address. */
export function upLines({ device, mtu }: TunnelRow): readonly string[] {
  return [`link set dev ${device} mtu ${mtu} ${silent(mtu)} up`];
}

/** No ARP, and no IPv6 address that would speak up. Below 1280 bytes there is no IPv6 to ask that of (RFC 8200, 5). */
function silent(mtu: number): string {
  return mtu < 1280 ? "arp off" : "arp off addrgenmode none";
}
