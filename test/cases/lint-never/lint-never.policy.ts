/** A rule that can match no packet, and comparisons that never hold, are warned of. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("two-ports", expr`tcp.dstport == 80 and tcp.dstport == 443`),
      allow("two-protocols", expr`tcp.dstport == 80 and udp.dstport == 53`),
      allow("two-families", expr`ip.src == 192.0.2.7 and icmp6.type == 128`),
      allow("below-zero", expr`tcp.dstport < 0`),
      allow("no-bits", expr`tcp.flags & 0`),
      allow("too-short", expr`ip.len < 20 or tcp.dstport == 22`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
