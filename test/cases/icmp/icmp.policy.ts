import { allow, drop, expr, gre, policy } from "tidegate";

// ICMP is IPv4 only, ICMPv6 is IPv6 only, whatever the protocol numbers say.
export default policy({
  customer: "icmp",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    drop("redirects", expr`icmp.type == 5 or icmp6.type == 137`),
    drop("odd-proto", expr`ip.proto == 1 and ip.src in {2000::/3}`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("echo", expr`icmp.type in {0 8} or icmp6.type in {128..129}`),
      allow("unreachable", expr`icmp.type == 3 and icmp.code <= 4`),
      allow("too-big", expr`icmp6.type == 2 and icmp6.code == 0`),
      allow("not-odd-code", expr`not icmp.code == 7 and ip.proto == "icmp"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
