/**
 * The small internet of the demo, as data. Addresses are those that RFC 5737, RFC 2544 and RFC 3849 keep for
 * examples; none of them is a bogon of the example policies.
 *
 * ```
 *  client 192.0.2.7 ──────┐                    ┌── edge-1 ── bystander 198.18.9.9
 *  attacker 192.0.2.66 ───┤                    ├── edge-2   (anycast 198.18.0.1 leads here)
 *                         ├──── core ──────────┤
 *                         │  (the Internet)    ├── edge-3
 *                         │                    ├── acme-router 198.51.100.1   ══ tunnel ══ acme-ftp 203.0.113.100
 *                         └                    └── globex-router 198.51.100.2 ══ tunnel ══ globex-web 198.51.100.130
 * ```
 * The customers' prefixes are announced by edge-1 and the anycast address by edge-2, so that the way back is
 * decapsulated by a server that did not encapsulate: a tunnel keeps nothing on one server. Where a journey asks for it (turns.ts),
 * all three edges announce it, and the core gives each packet to the next one.
 */

export interface HostPlan {
  readonly name: string;
  /** Routers pass packets on. */
  readonly forwards: boolean;
}

export interface LinkEnd {
  readonly host: string;
  readonly device: string;
  readonly mac: string;
  /** Addresses with their prefix length, as ip(8) writes them. */
  readonly addresses: readonly string[];
}

/** A cable between two hosts: a veth pair. */
export interface LinkPlan {
  readonly ends: readonly [LinkEnd, LinkEnd];
}

/** What one host adds to its main routing table, as `ip route add` takes it. */
export interface RoutePlan {
  readonly host: string;
  readonly route: string;
}

export interface Topology {
  readonly hosts: readonly HostPlan[];
  readonly links: readonly LinkPlan[];
  readonly routes: readonly RoutePlan[];
}

export const CLIENT = { v4: "192.0.2.7", v6: "2001:db8::7" } as const;
/** Addresses that lead to the attacker's network but that no host holds: nobody answers the answers. */
export const ATTACKER = { v4: "192.0.2.99", v6: "2001:db8:66::99" } as const;
/** One more such address, so that a flood is told apart from all else. */
export const FLOODER = "192.0.2.98";
export const ANYCAST = "198.18.0.1";
export const BYSTANDER = "198.18.9.9";

/** The far end of a customer's tunnel: its router, and the host behind it that holds the tunnel's device. */
export interface Site {
  readonly customer: string;
  readonly tunnel: string;
  readonly router: string;
  readonly host: string;
  readonly addresses: readonly string[];
}

export const SITES: readonly Site[] = [
  {
    customer: "acme",
    tunnel: "chicago",
    router: "acme-router",
    host: "acme-ftp",
    addresses: ["203.0.113.100/32"],
  },
  {
    customer: "globex",
    tunnel: "berlin",
    router: "globex-router",
    host: "globex-web",
    addresses: ["198.51.100.130/32", "2001:db8:60b::80/128"],
  },
];

/** The core's own address on every one of its links; a host needs no more to reach it. */
const CORE = "192.0.2.1";

/** A host on the Internet: one link to the core, its default route, and what the core routes to it. */
interface Attachment {
  readonly host: string;
  readonly device: string;
  readonly v4: string;
  readonly v6?: string;
  readonly announces: readonly string[];
}

const ATTACHED: readonly Attachment[] = [
  { host: "client", device: "eth0", v4: CLIENT.v4, v6: CLIENT.v6, announces: [] },
  {
    host: "attacker",
    device: "eth0",
    v4: "192.0.2.66",
    v6: "2001:db8:66::66",
    announces: ["192.0.2.64/26", "2001:db8:66::/48", "2001:db8:bad::/48"],
  },
  {
    host: "edge-1",
    device: "uplink0",
    v4: "198.18.255.1",
    v6: "2001:db8:ed6e::1",
    announces: ["203.0.113.0/24", "198.51.100.128/25", "2001:db8:60b::/48", "198.18.9.0/24"],
  },
  {
    host: "edge-2",
    device: "uplink0",
    v4: "198.18.255.2",
    v6: "2001:db8:ed6e::2",
    announces: [`${ANYCAST}/32`],
  },
  { host: "edge-3", device: "uplink0", v4: "198.18.255.3", v6: "2001:db8:ed6e::3", announces: [] },
  { host: "acme-router", device: "eth0", v4: "198.51.100.1", announces: [] },
  { host: "globex-router", device: "eth0", v4: "198.51.100.2", announces: [] },
];

export const TOPOLOGY: Topology = {
  hosts: [
    { name: "core", forwards: true },
    { name: "client", forwards: false },
    { name: "attacker", forwards: false },
    { name: "edge-1", forwards: true },
    { name: "edge-2", forwards: true },
    { name: "edge-3", forwards: true },
    { name: "bystander", forwards: false },
    { name: "acme-router", forwards: true },
    { name: "acme-ftp", forwards: false },
    { name: "globex-router", forwards: true },
    { name: "globex-web", forwards: false },
  ],
  links: [
    ...ATTACHED.map(linkToCore),
    {
      ends: [
        { host: "edge-1", device: "lan0", mac: mac(0xff, 1), addresses: ["198.18.9.1/24"] },
        { host: "bystander", device: "eth0", mac: mac(0xff, 2), addresses: [`${BYSTANDER}/24`] },
      ],
    },
  ],
  routes: [...ATTACHED.flatMap(routesOverCore), { host: "bystander", route: "default via 198.18.9.1" }],
};

/** The address that a host's frames to the core go to. */
export function coreMac(host: string): string {
  return macOf("core", host);
}

/** The address of one device; throws where the topology has none of that name. */
export function macOf(host: string, device: string): string {
  const ends = TOPOLOGY.links.flatMap((plan) => plan.ends);
  const end = ends.find((candidate) => candidate.host === host && candidate.device === device);
  if (!end) throw new Error(`the lab has no device ${device} at ${host}`);
  return end.mac;
}

/** A host's own IPv4 address on its link to the core; throws for a host without one. */
export function addressOf(host: string): string {
  const attachment = ATTACHED.find((candidate) => candidate.host === host);
  if (!attachment) throw new Error(`the lab's core has no link to ${host}`);
  return attachment.v4;
}

function linkToCore(attachment: Attachment, index: number): LinkPlan {
  const { host, device, v4, v6 } = attachment;
  const own = [`${v4}/32`, ...(v6 === undefined ? [] : [`${v6}/128`]), "fe80::2/64"];
  return {
    ends: [
      { host: "core", device: host, mac: mac(index, 1), addresses: [`${CORE}/32`, "fe80::1/64"] },
      { host, device, mac: mac(index, 2), addresses: own },
    ],
  };
}

function routesOverCore({ host, device, v4, v6, announces }: Attachment): readonly RoutePlan[] {
  const held = [`${v4}/32`, ...(v6 === undefined ? [] : [`${v6}/128`])];
  return [
    { host, route: `default via ${CORE} dev ${device} onlink` },
    { host, route: `default via fe80::1 dev ${device}` },
    ...held.map((prefix) => ({ host: "core", route: `${prefix} dev ${host}` })),
    ...announces.map((prefix) => {
      const gateway = prefix.includes(":") ? "fe80::2" : v4;
      return { host: "core", route: `${prefix} via ${gateway} dev ${host} onlink` };
    }),
  ];
}

/** Locally administered; known beforehand, so that a raw sender need not ask for the next hop's address. */
function mac(link: number, end: 1 | 2): string {
  return `02:1a:b0:00:${link.toString(16).padStart(2, "0")}:0${end}`;
}
