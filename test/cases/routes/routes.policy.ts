/** Routes: the longest prefix, then the lowest priority; a prefix in parts, and one to spare; equal ones share. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport == 443`),
    ],
  },
  tunnels: {
    chicago: gre({ remote: "198.51.100.1", ttl: 32, mtu: 1400, health: { interval: "200ms", down: 5 } }),
    paris: gre({ remote: "198.51.100.2", key: 7, health: { style: "reply", target: "203.0.113.1" } }),
    spare: gre({ remote: "198.51.100.2", key: 0xffff_ffff }),
  },
  routes: [
    { prefix: "203.0.113.0/25", tunnel: "chicago" },
    { prefix: "203.0.113.128/25", tunnel: "paris", priority: 10 },
    { prefix: "203.0.113.128/25", tunnel: "spare", priority: 20 },
    { prefix: "203.0.113.200/32", tunnel: "chicago", priority: 50, weight: 3 },
    { prefix: "203.0.113.200/32", tunnel: "paris", priority: 50 },
  ],
});
