import { allow, drop, expr, gre, limit, policy } from "tidegate";

const ftp = "203.0.113.100";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],

  // XDP on every edge server; the first rule that decides ends the stage.
  mitigate: [
    drop(
      "bogons",
      expr`ip.src in {
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16
        172.16.0.0/12 192.168.0.0/16 224.0.0.0/3
      }`,
    ),
    limit("syn-flood", expr`tcp.flags.syn and not tcp.flags.ack`, {
      rate: "5000/s",
      burst: 10_000,
      per: "ip.src",
    }),
  ],

  // nftables in Acme's own namespace.
  firewall: {
    default: "drop",
    rules: [
      allow("ftp", expr`ip.dst == ${ftp} and tcp.dstport in {20..21}`),
      allow("too-big", expr`icmp.type == 3 and icmp.code == 4`),
    ],
  },

  tunnels: { chicago: gre({ remote: "198.51.100.1", ttl: 64, mtu: 1476 }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago", priority: 100, weight: 1 }],

  tests: [
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S", expect: "allow", rule: "ftp" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.100:22 flags=S", expect: "drop" },
    { packet: "icmp 192.0.2.1 > 203.0.113.100 type=3 code=4", expect: "allow", rule: "too-big" },
    { packet: "udp 10.1.2.3:53 > 203.0.113.9:53", expect: "drop", rule: "bogons" },
    { packet: "udp 192.0.2.7:53 > 203.0.113.9:9", expect: "drop" },
  ],
});
