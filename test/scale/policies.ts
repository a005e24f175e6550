/** The policies of a node with many customers: each other's equal in shape, and each with addresses, ports and rates of its own. */

export interface Described {
  /** From 0. */
  readonly index: number;
  /** Rules of both stages together. */
  readonly rules: number;
  /** Policies of one customer that differ in what a rule asks for, so that a change is a new program and a new firewall. */
  readonly variant: number;
}

/** As many as have prefixes, slots and keys of their own here. */
export const MAX_CUSTOMERS = 4096;

/** Fewer would leave out a kind of rule. */
export const MIN_RULES = 12;

export function customerName(index: number): string {
  return `c${String(index).padStart(4, "0")}`;
}

/** 100.64.0.0/10 in pieces, and a /48 of IPv6. */
export function prefixesOf(index: number): readonly [string, string] {
  return [`${network(index)}.0/24`, `2001:db8:${(0x1000 + index).toString(16)}::/48`];
}

/** Where packets are let through that go to `PORT.allowed`. */
export function hostOf(index: number): string {
  return `${network(index)}.80`;
}

/** What every variant lets through, drops in XDP, and drops in the firewall. */
export const PORT = { allowed: 2003, early: 2004, late: 2005 } as const;

/** The customers' router: one for all, as each tunnel has a key of its own. */
export const ROUTER = "198.51.100.1";

export function policyText(described: Described): string {
  const { index } = described;
  const prefixes = prefixesOf(index);
  const { mitigate, firewall } = rulesOf(described);
  const lines = (rules: readonly string[], indent: string) =>
    rules.map((rule) => `${indent}${rule},`).join("\n");
  return `import { allow, count, drop, expr, gre, limit, list, log, policy, reject } from "tidegate";

const host = "${hostOf(index)}";
const blocked = list([${blockedBy(index)
    .map((prefix) => `"${prefix}"`)
    .join(", ")}]);

export default policy({
  customer: "${customerName(index)}",
  prefixes: ["${prefixes.join('", "')}"],

  mitigate: [
${lines(mitigate, "    ")}
  ],

  firewall: {
    default: "drop",
    rules: [
${lines(firewall, "      ")}
    ],
  },

  tunnels: { home: gre({ remote: "${ROUTER}", key: ${1000 + index} }) },
  routes: [${prefixes.map((prefix) => `{ prefix: "${prefix}", tunnel: "home" }`).join(", ")}],
});
`;
}

interface Rules {
  readonly mitigate: readonly string[];
  readonly firewall: readonly string[];
}

/** Every kind of rule once, and services that are let through for the rest. */
function rulesOf({ index, rules, variant }: Described): Rules {
  const mitigate = [
    'drop("bogons", expr`ip.src in {0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3}`)',
    `drop("blocked", expr\`ip.src in \${blocked}\`)`,
    `limit("syn-flood", expr\`tcp.flags.syn and not tcp.flags.ack\`, { rate: "${1000 + index}/s", burst: 2000, per: "ip.src" })`,
    `limit("all-dns", expr\`udp.srcport == 53\`, { rate: "${5000 + index}/s", burst: 1000 })`,
    `drop("early", expr\`udp.dstport in {${PORT.early} 19 389 1900 11211}\`)`,
    'count("fragments", expr`ip.frag.offset > 0`)',
  ];
  const firewall = [
    'log("telnet", expr`tcp.dstport == 23`, { sample: 100 })',
    'reject("ident", expr`tcp.dstport == 113`)',
    `drop("late", expr\`udp.dstport == ${PORT.late}\`)`,
    'limit("pings", expr`icmp.type == 8 or icmp6.type == 128`, { rate: "100/s", burst: 50, per: "ip.src" })',
    'allow("ping", expr`icmp.type == 8 or icmp6.type == 128`)',
    `allow("game", expr\`ip.dst == \${host} and udp.dstport == ${PORT.allowed}\`)`,
  ];
  const services = Array.from({ length: rules - mitigate.length - firewall.length }, (_, service) => {
    const port = 3000 + ((index * 7 + service * 11 + (service === 0 ? variant : 0)) % 5000);
    return `allow("service-${service}", expr\`ip.dst == ${network(index)}.${100 + service} and tcp.dstport == ${port}\`)`;
  });
  return { mitigate, firewall: [...firewall, ...services] };
}

/** A list that no other customer has. */
function blockedBy(index: number): readonly string[] {
  return Array.from({ length: 40 }, (_, entry) => `198.18.${(index + entry) % 256}.${entry * 4}/30`);
}

function network(index: number): string {
  return `100.${64 + (index >> 8)}.${index & 255}`;
}
