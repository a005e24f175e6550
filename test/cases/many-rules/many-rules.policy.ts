import { allow, count, drop, expr, gre, policy, reject } from "tidegate";

// Too many rules for a chain: nftables looks up which of them a packet may match. The rule that counts stands wherever a
// packet may match it, and no packet meets it twice.
const servers = Array.from({ length: 6 }, (_, i) => i + 1);
const blocked = ["192.0.2.0/28", "192.0.2.64/26", "198.51.100.0/25", "198.51.100.200", "100.64.0.0/10"];

const ofServer = (i: number) => [
  allow(`web-${i}`, expr`ip.dst == ${`203.0.113.${i}`} and tcp.dstport in {80 443}`),
  drop(`blocked-${i}`, expr`ip.src in {${`100.${i}.0.0/16`}} and port.dst == ${1000 + i}`),
  allow(`name-${i}`, expr`ip.dst == ${`2001:db8:a::${i}`} and udp.dstport == 53`),
];

export default policy({
  customer: "many-rules",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  firewall: {
    default: "drop",
    rules: [
      count("finger", expr`tcp.dstport == 79`),
      ...servers.flatMap(ofServer),
      ...blocked.map((network, i) => reject(`network-${i}`, expr`ip.src in {${network}}`)),
      allow("ping", expr`icmp.type == 8 or icmp6.type == 128`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:a::/48", tunnel: "main" },
  ],
});
