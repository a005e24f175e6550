import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { deleteLink, type Family, findLink, ipBatch, ipJson, links } from "../ip.js";
import { EDGE, LINK_ENDS } from "../node/constants.js";
import { writeSysctl } from "../node/sysctls.js";
import type { Part } from "../steps.js";

const { node: NODE, customer: CUSTOMER } = LINK_ENDS;

/** After the rules for the two routing tables of customer/routes.ts. */
const CLOSED_PRIORITY = 2000;

/** The veth pair between the node's default namespace and the customer's. */
export function linkPart({ link, namespace }: Manifest, node: NodeConfig): Part {
  return {
    name: `link ${link}`,
    present: async () => {
      if (!(await findLink(link)) || !(await links(namespace)).some(({ ifname }) => ifname === EDGE))
        return false;
      return (await isClosed(namespace, 4)) && (await isClosed(namespace, 6));
    },
    up: async () => {
      await ipBatch([
        `link add ${link} address ${NODE.mac} type veth peer name ${EDGE} netns ${namespace} address ${CUSTOMER.mac}`,
        `link set dev ${link} addrgenmode none`,
      ]);
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
  await writeSysctl(`net/ipv6/conf/${link}/forwarding`, "1");
  // ICMP errors of the namespace come from the anycast address, which is the node's own too.
  await writeSysctl(`net/ipv4/conf/${link}/accept_local`, "1");
  await ipBatch(endLines(link, NODE, CUSTOMER));
}

async function configureCustomerEnd(namespace: string, node: NodeConfig): Promise<void> {
  await ipBatch(
    [
      `link set dev ${EDGE} addrgenmode none`,
      ...endLines(EDGE, CUSTOMER, NODE),
      ...node.anycast.map(
        (address) => `addr add ${address}/${address.includes(":") ? "128 nodad" : 32} dev lo`,
      ),
    ],
    { namespace },
  );
  for (const family of [4, 6] as const) {
    const source = node.anycast.find((address) => address.includes(":") === (family === 6));
    // What comes out of a tunnel leaves by the main table; ICMP errors say that they come from the edge.
    const via = `default via ${NODE[family]} dev ${EDGE} onlink`;
    const lines = [
      `route add ${source === undefined ? via : `${via} src ${source}`}`,
      // What comes in by the link is routed by the customer's own table or not at all.
      `rule add priority ${CLOSED_PRIORITY} iif ${EDGE} blackhole`,
    ];
    await ipBatch(lines, { namespace, family });
  }
}

/** Addresses and the neighbour, who never changes and so is never asked for. */
function endLines(
  device: string,
  own: (typeof LINK_ENDS)["node" | "customer"],
  other: (typeof LINK_ENDS)["node" | "customer"],
): readonly string[] {
  return [
    `addr add ${own[4]}/32 dev ${device}`,
    `addr add ${own[6]}/64 dev ${device} nodad`,
    `link set dev ${device} up`,
    `neigh replace ${other[4]} lladdr ${other.mac} dev ${device} nud permanent`,
    `neigh replace ${other[6]} lladdr ${other.mac} dev ${device} nud permanent`,
  ];
}

async function isClosed(namespace: string, family: Family): Promise<boolean> {
  const rules = await ipJson<{ priority: number }>([`-${family}`, "rule", "show"], { namespace });
  return rules.some(({ priority }) => priority === CLOSED_PRIORITY);
}
