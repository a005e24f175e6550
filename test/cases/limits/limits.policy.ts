import { allow, expr, gre, limit, policy } from "tidegate";

export default policy({
  customer: "limits",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    limit("syn", expr`tcp.flags.syn and not tcp.flags.ack`, { rate: "100/s", burst: 5, per: "ip.src" }),
    limit("to-host", expr`udp.dstport == 53 or icmp.type == 8`, { rate: "10/m", burst: 3, per: "ip.dst" }),
    limit("all-icmp6", expr`icmp6.type == 128`, { rate: "7/s", burst: 1 }),
  ],
  // An hour a packet: within a test's run the burst is all there is, so the kernel's clock does not matter.
  firewall: {
    default: "drop",
    rules: [
      limit(
        "slow",
        expr`(ip.src in {192.0.2.0/24} or ip.src in {2001:db8::/64}) and (tcp.dstport == 80 or udp.dstport == 80)`,
        { rate: "1/h", burst: 20, per: "ip.src" },
      ),
      limit("slow-all", expr`tcp.dstport == 81`, { rate: "1/h", burst: 30 }),
      allow("rest", expr`ip.proto in {6 17}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
