/** Tunnels of each kind, over IPv4 and IPv6, with all that can be said of their outer headers. */
import { gre, ipip, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  firewall: { default: "allow", rules: [] },
  tunnels: {
    chicago: gre({ remote: "198.51.100.1", key: 7, ttl: "inherit", dscp: 46, df: "inherit" }),
    paris: gre({ remote: "2001:db8:ffff::1", mss: "keep" }),
    rome: ipip({ remote: "198.51.100.2", ttl: 32, mss: 1380 }),
    oslo: ipip({ remote: "2001:db8:ffff::2", ttl: "inherit", dscp: 0, mtu: 1400 }),
  },
  routes: [
    { prefix: "203.0.113.0/25", tunnel: "chicago" },
    { prefix: "203.0.113.128/25", tunnel: "rome" },
    { prefix: "2001:db8:a::/48", tunnel: "paris", weight: 3 },
    { prefix: "2001:db8:a::/48", tunnel: "oslo" },
  ],
});
