import type { AcmeEdge } from "./acme-edge.js";
import type { EdgeServer } from "./edge-server.js";

/** A host of Acme's in a network behind its site, by family. */
export const INNER = { 4: "203.0.113.18", 6: "2001:db8:a:1::2" } as const;

const GATEWAY = { 4: "203.0.113.17", 6: "2001:db8:a:1::1" } as const;

/** The ends of the tunnel, and by what routes they reach each other. */
export const EDGE_END = {
  namespace: undefined,
  routes: ["198.51.100.0/24 via 100.64.0.2", "2001:db8:c::/64 via 2001:db8:64::2"],
} as const;
export const ROUTER_END = {
  namespace: "router",
  own: { 4: "198.51.100.1", 6: "2001:db8:c::1" },
  routes: ["default via 198.51.100.254", "default via 2001:db8:c::fe"],
} as const;

/**
 * Puts two routers between the edge and Acme's router, with a link between them that may be narrower than all others, and a
 * network with a host behind Acme's site. For an edge that has no customers yet.
 */
export function addNarrowPath({ server }: AcmeEdge): void {
  server.ip([
    ...["near", "far", "inner"].map((name) => `netns add ${name}`),
    // Acme's router keeps its device; what was the edge's end of it is now the far router's.
    "link set up1 netns far",
    "link add up1 type veth peer name eth0 netns near",
    "link set up1 addrgenmode none up",
    ...addresses("up1", "100.64.0.1/30", "2001:db8:64::1/64"),
    ...EDGE_END.routes.map((route) => `route add ${route}`),
  ]);
  server.ip(["link add eth1 type veth peer name eth0 netns far"], "near");
  server.ip(
    [
      ...["eth0", "eth1"].map((device) => `link set ${device} addrgenmode none up`),
      ...addresses("eth0", "100.64.0.2/30", "2001:db8:64::2/64"),
      ...addresses("eth1", "100.64.0.5/30", "2001:db8:65::1/64"),
      ...["default via 100.64.0.1", "default via 2001:db8:64::1"].map((route) => `route add ${route}`),
      ...["198.51.100.0/24 via 100.64.0.6", "2001:db8:c::/64 via 2001:db8:65::2"].map(
        (route) => `route add ${route}`,
      ),
    ],
    "near",
  );
  server.ip(
    [
      ...["eth0", "up1"].map((device) => `link set ${device} addrgenmode none up`),
      ...addresses("eth0", "100.64.0.6/30", "2001:db8:65::2/64"),
      ...addresses("up1", "198.51.100.254/24", "2001:db8:c::fe/64"),
      ...["default via 100.64.0.5", "default via 2001:db8:65::1"].map((route) => `route add ${route}`),
    ],
    "far",
  );
  for (const namespace of ["near", "far", "site"]) forward(server, namespace);
  addInnerNetwork(server);
}

/** What it can carry between the two routers, from now on, and in the network behind the site. */
export function setPath(
  { server }: AcmeEdge,
  { path, inner }: { readonly path: number; readonly inner: number },
): void {
  server.ip([`link set eth1 mtu ${path}`], "near");
  server.ip([`link set eth0 mtu ${path}`], "far");
  server.ip([`link set inner mtu ${inner}`], "site");
  server.ip([`link set eth0 mtu ${inner}`], "inner");
}

/** What a router forwards it asks for neighbours by an address of the link alone (ndisc_solicit). */
function addresses(device: string, ipv4: string, ipv6: string): readonly string[] {
  const alone = ipv6.replace(/.*::/, "fe80::");
  return [
    `addr add ${ipv4} dev ${device}`,
    ...[ipv6, alone].map((address) => `addr add ${address} dev ${device} nodad`),
  ];
}

function forward(server: EdgeServer, namespace: string): void {
  server.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"], { namespace });
}

function addInnerNetwork(server: EdgeServer): void {
  server.ip(["link add inner type veth peer name eth0 netns inner"], "site");
  const up = (device: string) => `link set ${device} addrgenmode none up`;
  server.ip([up("inner"), ...addresses("inner", `${GATEWAY[4]}/28`, `${GATEWAY[6]}/64`)], "site");
  server.ip(
    [
      up("eth0"),
      `addr add ${INNER[4]}/28 dev eth0`,
      `addr add ${INNER[6]}/64 dev eth0 nodad`,
      ...([4, 6] as const).map((family) => `route add default via ${GATEWAY[family]}`),
    ],
    "inner",
  );
}
