import { Host } from "./host.js";
import type { LinkPlan, Topology } from "./topology.js";

/** A running lab. */
export interface World {
  /** The host of that name; throws for a name that the topology does not have. */
  host(name: string): Host;
  /** Takes everything away; may be called at any time and more than once. */
  remove(): Promise<void>;
}

/**
 * Boots all hosts and links them. Nothing of it has a name on the machine that it runs on: namespaces and
 * devices belong to the hosts' processes and go with them, also when this process is killed.
 */
export async function makeWorld(topology: Topology): Promise<World> {
  const hosts = new Map<string, Host>();
  const world: World = {
    host(name) {
      const host = hosts.get(name);
      if (!host) throw new Error(`the lab has no host ${name}`);
      return host;
    },
    async remove() {
      await Promise.all([...hosts.values()].map((host) => host.remove()));
    },
  };
  const boots = topology.hosts.map(async ({ name, forwards }) => {
    hosts.set(name, await Host.boot(name, settings(forwards)));
  });
  try {
    // Every boot must have ended before a failure is passed on, or `remove` could miss a late host.
    const results = await Promise.allSettled(boots);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    await link(world, topology.links);
    await route(world, topology);
  } catch (problem) {
    await world.remove();
    throw problem;
  }
  return world;
}

/**
 * Set before there are devices, so that these take the defaults. Forwarding is given, because a new namespace
 * inherits it (net.core.devconf_inherit_init_net); addresses are at once usable and nothing speaks unasked.
 */
function settings(forwards: boolean): readonly string[] {
  const forward = forwards ? 1 : 0;
  return [
    `ipv4/ip_forward=${forward}`,
    `ipv6/conf/all/forwarding=${forward}`,
    `ipv6/conf/default/forwarding=${forward}`,
    "ipv4/conf/all/rp_filter=0",
    "ipv4/conf/default/rp_filter=0",
    "ipv6/conf/all/accept_ra=0",
    "ipv6/conf/default/accept_ra=0",
    "ipv6/conf/default/accept_dad=0",
    "ipv6/conf/default/addr_gen_mode=1",
    "ipv6/conf/default/router_solicitations=0",
  ];
}

async function link(world: World, links: readonly LinkPlan[]): Promise<void> {
  for (const { ends } of links) {
    const [near, far] = ends;
    const peer = `peer name ${far.device} address ${far.mac} netns ${world.host(far.host).pid}`;
    await world.host(near.host).ip([`link add ${near.device} address ${near.mac} type veth ${peer}`]);
  }
}

async function route(world: World, topology: Topology): Promise<void> {
  const ends = topology.links.flatMap((plan) => plan.ends);
  await Promise.all(
    topology.hosts.map(async ({ name }) => {
      const own = ends.filter((end) => end.host === name);
      await world
        .host(name)
        .ip([
          ...own.map(({ device }) => `link set ${device} up`),
          ...own.flatMap(({ device, addresses }) =>
            addresses.map((address) => `addr add ${address} dev ${device}`),
          ),
          ...topology.routes.filter((plan) => plan.host === name).map((plan) => `route add ${plan.route}`),
        ]);
      // Checksums and segments as a network card would send them: what a capture shows is what the wire carries.
      for (const { device } of own)
        await world.host(name).run(["ethtool", "-K", device, "tx", "off", "gro", "off"]);
    }),
  );
}
