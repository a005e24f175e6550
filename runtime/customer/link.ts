import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { deleteLink, findLink, ipBatch, ipJson } from "../ip.js";
import { EDGE, LINK_ENDS } from "../node/constants.js";
import type { KernelRoute } from "../node/policy-routing.js";
import { writeSysctl } from "../node/sysctls.js";
import type { Part } from "../steps.js";

const { node: NODE, customer: CUSTOMER } = LINK_ENDS;

/** The veth pair between the node's default namespace and the customer's. */
export function linkPart({ link, namespace }: Manifest, node: NodeConfig): Part {
  return {
    name: `link ${link}`,
    present: async () => (await findLink(link)) !== undefined && (await isConfigured(namespace)),
    up: async () => {
      const customerEnd = `name ${EDGE} netns ${namespace} address ${CUSTOMER.mac}`;
      await ipBatch([`link add name ${link} address ${NODE.mac} type veth peer ${customerEnd}`]);
      await configureNodeEnd(link);
      await configureCustomerEnd(namespace, node);
    },
    down: () => deleteLink(link),
  };
}

async function configureNodeEnd(link: string): Promise<void> {
  await writeSysctl(`net/ipv4/conf/${link}/rp_filter`, "0");
  await writeSysctl(`net/ipv4/conf/${link}/forwarding`, "1");
  await writeSysctl(`net/ipv4/conf/${link}/send_redirects`, "0");
  // ICMP errors of the namespace come from the anycast address, which is the node's own too.
  await writeSysctl(`net/ipv4/conf/${link}/accept_local`, "1");
  // For IPv6 `all` alone decides about forwarding; this leaves the groups of routers. MLDv1 does so without a word,
  // where MLDv2 would report the change on the link (igmp6_leave_group).
  await writeSysctl(`net/ipv6/conf/${link}/force_mld_version`, "1");
  await writeSysctl(`net/ipv6/conf/${link}/forwarding`, "0");
  await writeSysctl(`net/ipv6/conf/${link}/accept_ra`, "0");
  // On a node without IPv6 of its own the link has it all the same: each of its customers' families has a next hop.
  await writeSysctl(`net/ipv6/conf/${link}/disable_ipv6`, "0");
  await ipBatch([silence(link), ...endLines(link, NODE, CUSTOMER)]);
}

async function configureCustomerEnd(namespace: string, node: NodeConfig): Promise<void> {
  await ipBatch([silence(EDGE), ...endLines(EDGE, CUSTOMER, NODE)], { namespace });
  for (const family of [4, 6] as const) {
    const source = node.anycast.find((address) => address.includes(":") === (family === 6));
    // What comes out of a tunnel, and the namespace's own ICMP errors, leave by the main table.
    const via = `default via ${NODE[family]} dev ${EDGE} onlink`;
    await ipBatch([`route add ${source === undefined ? via : `${via} src ${source}`}`], {
      namespace,
      family,
    });
  }
}

/** The way out of IPv6 comes last: an end without is half made. */
async function isConfigured(namespace: string): Promise<boolean> {
  if ((await findLink(EDGE, namespace)) === undefined) return false;
  const routes = await ipJson<KernelRoute>(["-6", "route", "show", "default"], { namespace });
  return routes.some(({ dev }) => dev === EDGE);
}

/** No ARP, no router or multicast chatter: whatever is on the link is somebody's packet. */
function silence(device: string): string {
  return `link set dev ${device} addrgenmode none arp off multicast off`;
}

/** Addresses and the neighbour, who never changes and so is never asked for. */
function endLines(
  device: string,
  own: (typeof LINK_ENDS)["node" | "customer"],
  other: (typeof LINK_ENDS)["node" | "customer"],
): readonly string[] {
  return [
    // Of link scope, so that the kernel never takes it for the source of a packet that goes further.
    `addr add ${own[4]}/32 dev ${device} scope link`,
    `addr add ${own[6]}/64 dev ${device} nodad`,
    `link set dev ${device} up`,
    `neigh replace ${other[4]} lladdr ${other.mac} dev ${device} nud permanent`,
    `neigh replace ${other[6]} lladdr ${other.mac} dev ${device} nud permanent`,
  ];
}
