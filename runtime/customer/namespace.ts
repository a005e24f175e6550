import { existsSync } from "node:fs";
import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { namespaceFile, run } from "../command.js";
import { addAddress } from "../netlink/address.js";
import { setLink } from "../netlink/link.js";
import { inside, type Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { addRule, rules } from "../netlink/rule.js";
import { EDGE } from "../node/constants.js";
import type { Part } from "../steps.js";

/**
 * A router that asks no reverse-path question (the firewall knows which sources may leave) and takes no advice
 * from packets about its routes. A new namespace may inherit other values (net.core.devconf_inherit_init_net).
 */
const SYSCTLS = [
  "net.ipv4.ip_forward=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  // Errors of the node and of other customers come from the anycast address, which is this namespace's own too.
  "net.ipv4.conf.all.accept_local=1",
  "net.ipv4.conf.all.accept_redirects=0",
  "net.ipv4.conf.all.send_redirects=0",
  "net.ipv4.conf.default.send_redirects=0",
  // Where tunnels share packets, all of a connection go one way, and those of two connections may go two.
  "net.ipv4.fib_multipath_hash_policy=1",
  "net.ipv6.fib_multipath_hash_policy=1",
  "net.ipv6.conf.all.disable_ipv6=0",
  "net.ipv6.conf.default.disable_ipv6=0",
  // A tunnel speaks for nobody, so it has no address, also not when its MTU grows so that there is IPv6 again.
  "net.ipv6.conf.default.addr_gen_mode=1",
  "net.ipv6.conf.all.forwarding=1",
  // Only `all` decides about forwarding (ip6_forward); a device's own value makes it join the routers' groups.
  "net.ipv6.conf.default.forwarding=0",
  "net.ipv6.conf.all.accept_redirects=0",
  "net.ipv6.conf.all.accept_ra=0",
  "net.ipv6.conf.default.accept_ra=0",
];

/** After the rules for the two routing tables of customer/routes.ts. */
const CLOSED_PRIORITY = 2000;

/** The customer's own network namespace, closed from its first moment. Everything in it goes with it. */
export function namespacePart(host: Network, { namespace }: Manifest, node: NodeConfig): Part {
  const network = inside(host, namespace);
  return {
    name: `namespace ${namespace}`,
    // What closes it comes last: a namespace without is half made.
    present: async () => existsSync(namespaceFile(namespace)) && (await isClosed(network)),
    up: async () => {
      await run("ip", ["netns", "add", namespace]);
      await run("sysctl", ["-q", "-w", ...SYSCTLS], { namespace });
      // ICMP errors ("fragmentation needed") say that they come from the edge, which others can route.
      const errorSources = node.anycast.map((address) =>
        addAddress({ device: "lo", address, length: address.includes(":") ? 128 : 32 }),
      );
      // What comes in by the link is routed by the customer's own table or not at all.
      const closed = { priority: CLOSED_PRIORITY, inDevice: EDGE, to: "blackhole" } as const;
      const rules = ([4, 6] as const).map((family) => addRule(family, closed));
      await perform(network, [setLink("lo", { up: true }), ...errorSources, ...rules]);
    },
    down: async () => {
      if (existsSync(namespaceFile(namespace))) await run("ip", ["netns", "del", namespace]);
    },
  };
}

async function isClosed(network: Network): Promise<boolean> {
  return (await rules(network, 6)).some(({ priority }) => priority === CLOSED_PRIORITY);
}
