/** ICMP belongs to IPv4, ICMPv6 to IPv6. */
import { allow, drop, expr, gre, limit, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("redirect", expr`icmp.type == 5 or icmp6.type == 137`),
    limit("pings", expr`icmp.type == 8 or icmp6.type == 128`, { rate: "100/s" }),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("unreachable", expr`icmp.type == 3 and icmp.code in {0..4}`),
      allow("too-big", expr`icmp6.type == 2 and icmp6.code == 0`),
      drop("codes", expr`icmp.code > 15 or icmp6.code > 7`),
      allow("echo", expr`icmp.type in {0 8} or icmp6.type in {128 129}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
