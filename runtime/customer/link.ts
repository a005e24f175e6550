import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { addAddress } from "../netlink/address.js";
import { addVeth, deleteLink, findLink, setLink } from "../netlink/link.js";
import { setNeighbour } from "../netlink/neighbour.js";
import { inside, type Network, type Request } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { addRoute, MAIN_TABLE, tableRoutes } from "../netlink/route.js";
import { EDGE, LINK_ENDS } from "../node/constants.js";
import { writeSysctl } from "../node/sysctls.js";
import { EVERYTHING } from "../prefix.js";
import type { Part } from "../steps.js";

const { node: NODE, customer: CUSTOMER } = LINK_ENDS;

/** The veth pair between the node's default namespace and the customer's. */
export function linkPart(host: Network, { link, namespace }: Manifest, node: NodeConfig): Part {
  const customer = inside(host, namespace);
  return {
    name: `link ${link}`,
    present: async () => (await findLink(host, link)) !== undefined && (await isConfigured(customer)),
    up: async () => {
      const [near, far] = [
        { name: link, mac: NODE.mac },
        { name: EDGE, mac: CUSTOMER.mac },
      ];
      await perform(host, [addVeth(near, far, namespace)]);
      await configureNodeEnd(host, link);
      await configureCustomerEnd(customer, node);
    },
    down: () => deleteLink(host, link),
  };
}

async function configureNodeEnd(host: Network, link: string): Promise<void> {
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
  await perform(host, [silence(link), ...endRequests(link, NODE, CUSTOMER)]);
}

async function configureCustomerEnd(customer: Network, node: NodeConfig): Promise<void> {
  const ways = ([4, 6] as const).map((family) => {
    const source = node.anycast.find((address) => address.includes(":") === (family === 6));
    // What comes out of a tunnel, and the namespace's own ICMP errors, leave by the main table.
    const by = { device: EDGE, via: NODE[family], source };
    return addRoute({ to: EVERYTHING[family], table: MAIN_TABLE, by });
  });
  await perform(customer, [silence(EDGE), ...endRequests(EDGE, CUSTOMER, NODE), ...ways]);
}

/** The way out of IPv6 comes last: an end without is half made. */
async function isConfigured(customer: Network): Promise<boolean> {
  const edge = await findLink(customer, EDGE);
  if (!edge) return false;
  const routes = await tableRoutes(customer, 6, MAIN_TABLE);
  return routes.some(({ length, device }) => length === 0 && device === edge.index);
}

/** No ARP, no router or multicast chatter: whatever is on the link is somebody's packet. */
function silence(device: string): Request {
  return setLink(device, { noAddress: true, noArp: true, noMulticast: true });
}

/** Addresses and the neighbour, who never changes and so is never asked for. */
function endRequests(
  device: string,
  own: (typeof LINK_ENDS)["node" | "customer"],
  other: (typeof LINK_ENDS)["node" | "customer"],
): readonly Request[] {
  return [
    // Of link scope, so that the kernel never takes it for the source of a packet that goes further.
    addAddress({ device, address: own[4], length: 32, scope: "link" }),
    addAddress({ device, address: own[6], length: 64 }),
    setLink(device, { up: true }),
    setNeighbour(device, other[4], other.mac),
    setNeighbour(device, other[6], other.mac),
  ];
}
