import { join } from "node:path";
import { deviceValue, endpointKey, ifindexKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../src/cli/package-root.js";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import type { Host } from "./host.js";
import { CommandFailed } from "./process.js";
import { ANYCAST, type Site } from "./topology.js";
import type { World } from "./world.js";

/** The tunnel's device in the site's host. */
export const SITE_DEVICE = "tunnel";
/** The far end of the veth pair that stands in for a GRE device, in the router. */
const PEER_DEVICE = "tunnel-peer";
const SITE_MAC = "02:1a:b0:00:fe:02";
export const PEER_MAC = "02:1a:b0:00:fe:01";
const UPLINK = "eth0";

/** Who does a router's GRE: the kernel's own device, or Tidegate's eBPF programs where the kernel has none. */
export type GreDriver = "kernel" | "ebpf";

/**
 * Sets up the customer's end of a tunnel. The device lives in the site's host, its underlay in the router, as at
 * the edge; everything that the host sends goes through it.
 */
export async function connectSite(world: World, site: Site, tunnel: Tunnel): Promise<GreDriver> {
  const [router, host] = [world.host(site.router), world.host(site.host)];
  const driver = (await addKernelDevice(router, host, tunnel)) ? "kernel" : "ebpf";
  if (driver === "ebpf") await addVeth(router, host);
  await host.ip([
    `link set ${SITE_DEVICE} mtu ${tunnel.mtu} up`,
    ...site.addresses.map((address) => `addr add ${address} dev ${SITE_DEVICE}`),
    `route add 0.0.0.0/0 dev ${SITE_DEVICE}`,
    `route add ::/0 dev ${SITE_DEVICE}`,
  ]);
  if (driver === "ebpf") await attachPrograms(router, tunnel);
  return driver;
}

/** Made in the router and then moved: before Linux 6.15 the underlay is where the device is made (ip_tunnel_newlink). */
async function addKernelDevice(router: Host, host: Host, tunnel: Tunnel): Promise<boolean> {
  const key = tunnel.key === null ? "" : ` key ${tunnel.key}`;
  const ends = `local ${formatAddress(tunnel.remote)} remote ${ANYCAST}`;
  try {
    await router.ip([
      `link add ${SITE_DEVICE} type gre ${ends} ttl ${tunnel.ttl} tos inherit${key}`,
      `link set ${SITE_DEVICE} netns ${host.pid}`,
    ]);
    return true;
  } catch (problem) {
    if (problem instanceof CommandFailed && problem.stderr.includes("Unknown device type")) return false;
    throw problem;
  }
}

/** Without ARP: whatever is sent into the pair is for the programs at its end. */
async function addVeth(router: Host, host: Host): Promise<void> {
  await router.ip([
    `link add ${PEER_DEVICE} address ${PEER_MAC} type veth peer name ${SITE_DEVICE} address ${SITE_MAC} netns ${host.pid}`,
    `link set ${PEER_DEVICE} arp off up`,
  ]);
  await host.ip([`link set ${SITE_DEVICE} arp off`]);
  await host.run(["ethtool", "-K", SITE_DEVICE, "tx", "off", "gro", "off"]);
}

/** bpf-templates/gre.bpf.c in the router's role: what the edge calls remote is local here. */
async function attachPrograms(router: Host, tunnel: Tunnel): Promise<void> {
  const pins = "/run/bpf/gre";
  const local = formatAddress(tunnel.remote);
  const row = { ...tunnel, device: SITE_DEVICE, peer: PEER_DEVICE, remote: ANYCAST };
  await router.run(["sh", "-c", "mkdir /run/bpf && mount -t bpf bpf /run/bpf"]);
  const binary = join(packageRoot(), "dist", "runtime", "loader", "tidegate-loader");
  const loader = await Loader.start({ command: router.enter([binary]) });
  try {
    const peer = await loader.ifindex(PEER_DEVICE);
    await loader.loadObject({
      object: join(packageRoot(), "dist", "bpf", "gre.bpf.o"),
      pinDir: pins,
      reuse: {},
    });
    await loader.updateMap(`${pins}/map_gre_tunnels`, [
      { key: ifindexKey(peer), value: tunnelValue(row, local) },
    ]);
    await loader.updateMap(`${pins}/map_gre_endpoints`, [
      { key: endpointKey(row, local), value: deviceValue(peer, SITE_MAC, PEER_MAC) },
    ]);
    const slot = { direction: "ingress", priority: 1, handle: 1 } as const;
    await loader.attachTc({ ...slot, device: PEER_DEVICE, program: `${pins}/prog_gre_encap` });
    await loader.attachTc({ ...slot, device: UPLINK, program: `${pins}/prog_gre_decap` });
  } finally {
    await loader.close();
  }
}
