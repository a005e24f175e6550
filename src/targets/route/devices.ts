import { namespaceName } from "../names.js";
import type { TunnelRow } from "./tunnels.js";

/**
 * The two ways to make a tunnel's device. The runtime takes one of them, in the default namespace, and puts the node's
 * address for `$anycast4`; then it runs `upLines` in the customer's namespace.
 */

/** Ethernet addresses of a tunnel's veth pair. Each pair is a wire of its own, so all may have the same. */
const PEER_MAC = "02:54:47:00:00:01";
const DEVICE_MAC = "02:54:47:00:00:02";

/**
 * A GRE device (RFC 2784, RFC 2890). It is made in the default namespace, under the name that only this tunnel of this
 * customer has, and then moved: a moved tunnel keeps its underlay where it was made. (`link add … netns` would not do:
 * before Linux 6.15 ip_tunnel_newlink takes the underlay from the namespace that the device is made in.)
 *
 * `tos inherit` carries DSCP and ECN to the outer header. The outer header says "don't fragment" (`pmtudisc`, the
 * kernel's default and RFC 7588's): what is too long for the device's MTU is cut or refused before, by its own DF.
 */
export function greLines({ device, peer, remote, ttl, key }: TunnelRow, customer: string): readonly string[] {
  const underlay = `local $anycast4 remote ${remote} ttl ${ttl} tos inherit pmtudisc`;
  return [
    `link add dev ${peer} type gre ${underlay}${key === null ? "" : ` key ${key}`}`,
    `link set dev ${peer} netns ${namespaceName(customer)} name ${device}`,
  ];
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
