import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GreDriver } from "../../runtime/gre/driver.js";
import { deviceValue, endpointKey, ifindexKey, localKey, tunnelValue } from "../../runtime/gre/ebpf-maps.js";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { formatAddress, parsePrefix } from "../../src/compiler/ir/address.js";
import type { OwnedPrefix, Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { formatManifest } from "../../src/targets/bundle.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { readManifest, writePolicyBundle } from "./bundles.js";
import { EdgeServer } from "./edge-server.js";
import { address, and, number, policy, rule, spanAt, tunnel } from "./ir.js";

/** Acme's FTP host, behind the tunnel. */
export const FTP = "203.0.113.100";
export const FTP6 = "2001:db8:a::100";

export const NODE: NodeConfig = {
  schema: 1,
  uplinks: ["up0", "up1"],
  anycast: ["198.18.0.1", "2001:db8:ed6e::1"],
  owners: { acme: ["203.0.113.0/24", "2001:db8:a::/48"], globex: ["198.18.64.0/24"] },
};

export const CHICAGO: Tunnel = tunnel("chicago", "198.51.100.1", { ttl: 61, mss: null });

/** FTP to one host and nothing else; 10.0.0.0/8 is stopped in XDP. */
export function acme(overrides: Partial<Policy> = {}): Policy {
  const prefixes = ["203.0.113.0/24", "2001:db8:a::/48"].map(owned);
  const ftp = and(address("ip.dst", FTP), number("tcp.dstport", [20, 21]));
  const ftp6 = and(address("ip.dst", FTP6), number("tcp.dstport", [20, 21]));
  return {
    ...policy([rule("bogons", "drop", address("ip.src", "10.0.0.0/8"))]),
    prefixes,
    firewall: {
      default: "drop",
      rules: [rule("ftp", "allow", ftp), rule("ftp6", "allow", ftp6)],
      stateful: false,
      offload: "auto",
    },
    tunnels: [CHICAGO],
    routes: prefixes.map((prefix) => ({ ...prefix, tunnel: "chicago", priority: 100, weight: 1 })),
    ...overrides,
  };
}

/** Both ends of the device of a policy's tunnel, as the manifest names them. */
export function endsOf(
  name: string,
  of: Policy = acme(),
): { readonly device: string; readonly peer: string } {
  const row = tunnels(of).find((tunnel) => tunnel.name === name);
  if (!row) throw new Error(`there is no tunnel ${name}`);
  return row;
}

/** A second customer, who drops what Acme sends. */
export function globex(): Policy {
  const fromAcme = rule("from-acme", "drop", address("ip.src", "203.0.113.0/24"));
  return { ...policy([fromAcme]), customer: "globex", prefixes: [owned("198.18.64.0/24")] };
}

export function owned(text: string): OwnedPrefix {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
  return { prefix: parsed.prefix, span: spanAt(1) };
}

/** A change to one file of a bundle that its manifest agrees with: only the kernel can tell. */
export function tamper(folder: string, file: string, content: string | Uint8Array): string {
  const manifest = readManifest(folder);
  writeFileSync(join(folder, file), content);
  const files = { ...manifest.files, [file]: createHash("sha256").update(content).digest("hex") };
  writeFileSync(join(folder, "manifest.json"), formatManifest({ ...manifest, files }));
  return folder;
}

export interface RunningScript {
  /** Ends it by SIGTERM; gives what it printed. */
  end(): Promise<string>;
}

export interface EdgeOptions {
  /** The uplinks are bridges, which have no XDP of their own; the kernel's generic one stands in. */
  readonly bridged?: boolean;
  /** The uplinks are bonds of one member, `up0-port` and `up1-port`. */
  readonly bonded?: boolean;
  /** The edge finds no GRE devices, whatever this kernel has. */
  readonly noGreDevices?: boolean;
  /** Who does GRE at Acme's router. */
  readonly router?: GreDriver["name"];
  readonly tunnel?: Tunnel;
}

/** An edge server with a client at one uplink and Acme's router at the other. */
export class AcmeEdge {
  private constructor(readonly server: EdgeServer) {}

  static async start(options: EdgeOptions = {}): Promise<AcmeEdge> {
    const {
      bridged = false,
      bonded = false,
      noGreDevices = false,
      router = "ebpf",
      tunnel = CHICAGO,
    } = options;
    const server = await EdgeServer.start();
    const parent = bridged ? BRIDGE : bonded ? BOND : null;
    if (bridged) server.run(["sh", "-c", BRIDGES_UNSEEN]);
    // The runtime finds out by making one in a namespace of its own (runtime/gre/choose.ts).
    if (noGreDevices) server.run(["sh", "-c", "mount --bind /bin/false $(command -v unshare)"]);
    server.ip([
      ...["client", "router", "site"].map((name) => `netns add ${name}`),
      ...uplink("up0", "client", parent),
      ...uplink("up1", "router", parent),
      "addr add 192.0.2.254/24 dev up0",
      "addr add 2001:db8:1::254/64 dev up0 nodad",
      // What the node forwards it asks for its neighbours by an address of the link alone (ndisc_solicit).
      "addr add fe80::254/64 dev up0 nodad",
      "addr add 198.51.100.254/24 dev up1",
      "addr add 2001:db8:c::fe/64 dev up1 nodad",
      "addr add fe80::fe/64 dev up1 nodad",
      ...["up0", "up1"].map((device) => `link set ${device} addrgenmode none up`),
    ]);
    const up = "link set eth0 addrgenmode none up";
    const client = ["addr add 192.0.2.7/24 dev eth0", "addr add 10.1.2.3/32 dev eth0"];
    const client6 = ["addr add 2001:db8:1::7/64 dev eth0 nodad", "route add default via 2001:db8:1::254"];
    server.ip([up, ...client, "route add default via 192.0.2.254", ...client6], "client");
    const router4 = ["addr add 198.51.100.1/24 dev eth0", "route add default via 198.51.100.254"];
    const router6 = ["addr add 2001:db8:c::1/64 dev eth0 nodad", "route add default via 2001:db8:c::fe"];
    server.ip([up, ...router4, ...router6], "router");
    await connectSite(server, router, tunnel);
    return new AcmeEdge(server);
  }

  bundle(name: string, policy: Policy): string {
    return writePolicyBundle(policy, join(this.server.folder, name));
  }

  /** Runs a script of Node in a namespace. */
  script(namespace: string, text: string): string {
    return this.server.run(["node", "-e", text], { namespace });
  }

  /** Starts a script of Node in a namespace, and waits until it prints something. */
  async start(namespace: string, text: string): Promise<RunningScript> {
    const [command, ...args] = this.server.enter(["node", "-e", text], namespace);
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    return {
      end: async () => {
        child.kill();
        await ended;
        return output;
      },
    };
  }

  /** Starts a server at TCP port 21 that sends back what it gets, also when its client has said all. */
  startEcho(namespace = "site"): Promise<RunningScript> {
    return this.start(
      namespace,
      `require("net").createServer({ allowHalfOpen: true }, (s) => s.pipe(s))
        .listen(21, "::", () => console.log("ready"));`,
    );
  }

  sendUdp(namespace: string, source: string, destination: string): void {
    this.script(
      namespace,
      `const s = require("dgram").createSocket("udp4");
       s.bind({ address: "${source}", port: 4000 }, () => s.send("x", 9, "${destination}", () => s.close()));`,
    );
  }

  /** What becomes of a TCP connection from the client to Acme's host. */
  connect(port: number, host = FTP): string {
    return this.script(
      "client",
      `const s = require("net").connect({ host: "${host}", port: ${port} });
       const end = (word) => () => { console.log(word); process.exit(); };
       s.on("connect", end("open")); s.on("error", end("refused")); setTimeout(end("silence"), 1000);`,
    ).trim();
  }
}

/** No netfilter within bridges (br_netfilter), where the kernel has that. */
const BRIDGES_UNSEEN =
  "for file in /proc/sys/net/bridge/bridge-nf-call-ip*; do [ ! -e $file ] || echo 0 > $file; done";

const BRIDGE = "bridge mcast_snooping 0";
const BOND = "bond mode active-backup miimon 100";

/** An uplink to the device `eth0` of a namespace; `parent`: what it is a part of then, and that is the uplink. */
function uplink(device: string, namespace: string, parent: string | null): readonly string[] {
  const end = `type veth peer name eth0 netns ${namespace}`;
  if (parent === null) return [`link add ${device} ${end}`];
  return [
    `link add ${device} type ${parent}`,
    `link add ${device}-port ${end}`,
    `link set ${device}-port master ${device}`,
    `link set ${device}-port addrgenmode none up`,
  ];
}

/** Acme's end of the tunnel, and the host behind its router that the tunnel's device is in. */
async function connectSite(server: EdgeServer, router: GreDriver["name"], tunnel: Tunnel): Promise<void> {
  if (router === "kernel") addGreDevice(server, tunnel);
  else await addPrograms(server, tunnel);
  const addresses = [`addr add ${FTP}/32 dev tunnel`, `addr add ${FTP6}/128 dev tunnel nodad`];
  // Promises more than fits into the tunnel, so that a sender has to learn better from the edge's ICMP errors.
  const routes = ["0.0.0.0/0 dev tunnel advmss 1460", "::/0 dev tunnel advmss 1440"].map(
    (to) => `route add ${to}`,
  );
  server.ip([`link set tunnel mtu ${tunnel.mtu} up`, ...addresses, ...routes], "site");
}

/** The edge's address of the family that the tunnel's outer headers are of. */
function anycastFor({ remote }: Tunnel): string {
  const [ipv4 = "", ipv6 = ""] = NODE.anycast;
  return remote.family === 4 ? ipv4 : ipv6;
}

/** Made in the router and then moved: the outer packets stay where a device was made. */
function addGreDevice(server: EdgeServer, tunnel: Tunnel): void {
  const { kind, remote, ttl, key } = tunnel;
  const ends = `local ${formatAddress(remote)} remote ${anycastFor(tunnel)}`;
  const keyed = key === null ? "" : ` key ${key}`;
  const types = {
    4: { gre: "gre", ipip: "sit mode any" },
    6: { gre: "ip6gre", ipip: "ip6tnl mode any" },
  };
  const header =
    remote.family === 4 ? `ttl ${ttl} tos inherit` : `hoplimit ${ttl} tclass inherit encaplimit none`;
  const device = `link add tunnel type ${types[remote.family][kind]} ${ends} ${header}${keyed}`;
  server.ip([device, "link set tunnel addrgenmode none netns site"], "router");
}

/** The edge's BPF programs, loaded by hand. The host's device cuts up what TCP merged, as runtime/gre/ebpf.ts says. */
async function addPrograms(server: EdgeServer, tunnel: Tunnel): Promise<void> {
  const [near, far] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
  const pair = `link add peer address ${near} type veth peer name tunnel address ${far} netns site`;
  server.ip([pair, "link set peer arp off addrgenmode none up"], "router");
  server.ip(["link set tunnel arp off addrgenmode none gso_max_size 1000 gso_max_segs 1"], "site");
  const forwarding = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"];
  server.run(["sysctl", "-q", "-w", ...forwarding], { namespace: "router" });
  server.run(["sh", "-c", "mkdir /run/router && mount -t bpf bpf /run/router"]);
  const command = server.enter([join(packageRoot(), "dist/runtime/loader/tidegate-loader")], "router");
  const loader = await Loader.start({ command });
  try {
    await loadGre(loader, tunnel, near, far);
  } finally {
    await loader.close();
  }
}

async function loadGre(loader: Loader, tunnel: Tunnel, near: string, far: string): Promise<void> {
  const pins = "/run/router/gre";
  const local = formatAddress(tunnel.remote);
  const row = { ...tunnel, device: "tunnel", peer: "peer", remote: anycastFor(tunnel) };
  const ifindex = await loader.ifindex("peer");
  await loader.loadObject({ object: join(packageRoot(), "dist/bpf/gre.bpf.o"), pinDir: pins, reuse: {} });
  const entry = { key: ifindexKey(ifindex), value: tunnelValue(row, local) };
  await loader.updateMap(`${pins}/map_gre_tunnels`, [entry]);
  const endpoint = { key: endpointKey(row, local), value: deviceValue(ifindex, far, near) };
  await loader.updateMap(`${pins}/map_gre_endpoints`, [endpoint]);
  await loader.updateMap(`${pins}/map_gre_locals`, [
    { key: localKey(local), value: Uint8Array.of(1, 0, 0, 0) },
  ]);
  const slot = { direction: "ingress", priority: 1, handle: 1 } as const;
  await loader.attachTc({ ...slot, device: "peer", program: `${pins}/prog_gre_encap` });
  await loader.attachTc({ ...slot, device: "eth0", program: `${pins}/prog_gre_decap` });
}
