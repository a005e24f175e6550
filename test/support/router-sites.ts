import { join } from "node:path";
import { deviceValue, endpointKey, ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { type AcmeEdge, CHICAGO, FTP, FTP6 } from "./acme-edge.js";

/** Acme's routers, each with a host of its own behind it: Chicago's is there from the start (acme-edge.ts). */
export const ROUTERS = {
  chicago: "198.51.100.1",
  dallas: "198.51.100.2",
  erie: "198.51.100.3",
} as const;
export type RouterName = keyof typeof ROUTERS;

export const ROUTER_NAMES = Object.keys(ROUTERS) as readonly RouterName[];

export function tunnelTo(name: RouterName, parts: Partial<Tunnel> = {}): Tunnel {
  const remote = parseAddress(ROUTERS[name]) ?? CHICAGO.remote;
  return { ...CHICAGO, name, remote, ...parts };
}

/** The namespace of the host behind a router. */
export function siteOf(name: RouterName): string {
  return name === "chicago" ? "site" : `site-${name}`;
}

function peerOf(name: RouterName): string {
  return name === "chicago" ? "peer" : `peer-${name}`;
}

/** Another router at the same link, with a host like Chicago's behind it. */
export function addRouter(edge: AcmeEdge, name: Exclude<RouterName, "chicago">): Promise<void> {
  const local = ROUTERS[name];
  edge.server.ip([`addr add ${local}/24 dev eth0`], "router");
  return addSite(edge, { site: siteOf(name), peer: peerOf(name), local, key: null, hosts: [FTP, FTP6] });
}

export interface Site {
  /** Its namespace. */
  readonly site: string;
  readonly peer: string;
  /** An address of the router's. */
  readonly local: string;
  readonly key: number | null;
  readonly hosts: readonly string[];
}

/** One more end of a tunnel at the router, and the hosts behind it. */
export async function addSite({ server }: AcmeEdge, { site, peer, local, key, hosts }: Site): Promise<void> {
  const [near, far] = ["02:00:00:00:01:01", "02:00:00:00:01:02"];
  const pair = `link add ${peer} address ${near} type veth peer name tunnel address ${far} netns ${site}`;
  server.ip([`netns add ${site}`]);
  server.ip([pair, `link set ${peer} arp off addrgenmode none up`], "router");
  const addresses = hosts.map((host) => `addr add ${host} dev tunnel nodad`);
  const routes = ["route add 0.0.0.0/0 dev tunnel", "route add ::/0 dev tunnel"];
  server.ip(["link set tunnel arp off addrgenmode none up", ...addresses, ...routes], site);
  const command = server.enter([join(packageRoot(), "dist/runtime/loader/tidegate-loader")], "router");
  const loader = await Loader.start({ command });
  const pins = "/run/router/gre";
  const row = { ...CHICAGO, key, device: "tunnel", peer, remote: "198.18.0.1" };
  const index = await loader.ifindex(peer);
  await loader.updateMap(`${pins}/map_gre_tunnels`, [
    { key: ifindexKey(index), value: tunnelValue(row, local) },
  ]);
  const endpoint = { key: endpointKey(row, local), value: deviceValue(index, far, near) };
  await loader.updateMap(`${pins}/map_gre_endpoints`, [endpoint]);
  const slot = { direction: "ingress", priority: 1, handle: 1 } as const;
  await loader.attachTc({ ...slot, device: peer, program: `${pins}/prog_gre_encap` });
  await loader.close();
}

/** What a router that has died does, and one that is back. */
export function setRouter({ server }: AcmeEdge, name: RouterName, state: "down" | "up"): void {
  server.ip([`link set ${peerOf(name)} ${state}`], "router");
}

/** The rules by which a site's host, of which nobody listens to TCP, takes what comes to it; resets are no test's matter. */
export function setSite({ server }: AcmeEdge, name: RouterName, rules: readonly string[] = []): void {
  const chain =
    "add table inet t; flush table inet t; add chain inet t c { type filter hook prerouting priority -300; }";
  const all = ["meta l4proto tcp drop", ...rules].map((rule) => `add rule inet t c ${rule}`);
  server.run(["nft", [chain, ...all].join("; ")], { namespace: siteOf(name) });
}
