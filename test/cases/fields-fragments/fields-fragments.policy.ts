/** Fragments of both families, which a firewall without state sees as they arrive. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("tiny", expr`ip.frag.first and ip.len < 100`),
    drop("far", expr`ip.frag.offset >= 65000`),
    drop("more-udp", expr`ip.frag.more and ip.proto == "udp"`),
  ],
  firewall: {
    default: "drop",
    rules: [
      drop("later", expr`ip.frag.offset > 0 and ip.src in {192.0.2.0/25}`),
      drop("first", expr`ip.frag.first and tcp.dstport == 80`),
      allow("whole", expr`not ip.frag and tcp.dstport in {80 443}`),
      allow("last", expr`ip.frag and not ip.frag.more`),
      allow("steps-of-eight", expr`ip.frag.offset in {8 1480 2960}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
