import { failure, orIfMissing } from "../failures.js";
import type { Link } from "../netlink/link.js";
import { readSysctl } from "./sysctls.js";

/** For IPv4 and IPv6: br_netfilter has one switch for all bridges of a namespace, and each bridge one of its own. */
const SWITCHES = ["iptables", "ip6tables"] as const;

/**
 * Behind XDP, the marking table reads the stamp that the root program put on. For a packet to a bridge, br_netfilter runs
 * the hooks of IP at the bridge's port (br_nf_pre_routing()), where the bridge's XDP has not seen it, and ip_sabotage_in() keeps
 * them from running again. Throws TG9017.
 */
export async function requireUnseenBridge({ name: device, bridge }: Link): Promise<void> {
  if (!bridge) return;
  for (const name of SWITCHES) {
    if (bridge[name]) {
      const hint = `turn it off: ip link set dev ${device} type bridge nf_call_${name} 0`;
      throw failure("TG9017", { device }, hint);
    }
    if ((await readSwitch(name)) === "1")
      throw failure("TG9017", { device }, `turn it off: sysctl -w net.bridge.bridge-nf-call-${name}=0`);
  }
}

/** Where br_netfilter is not loaded there is none. */
async function readSwitch(name: (typeof SWITCHES)[number]): Promise<string> {
  return orIfMissing(readSysctl(`net/bridge/bridge-nf-call-${name}`), "0");
}
