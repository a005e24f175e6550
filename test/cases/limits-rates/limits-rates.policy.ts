/** Rates of each unit, bursts, and whose packets share one allowance. */
import { allow, expr, gre, limit, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    limit("second", expr`icmp.type == 8`, { rate: "100/s" }),
    limit("minute", expr`tcp.flags.syn and not tcp.flags.ack`, { rate: "90/m", per: "ip.src" }),
    limit("hour", expr`udp.dstport == 123`, { rate: "1000/h", burst: 3, per: "ip.dst" }),
    limit("large-burst", expr`tcp.dstport == 443`, { rate: "5000/s", burst: 10_000 }),
  ],
  firewall: {
    default: "drop",
    rules: [
      limit("in-the-firewall", expr`tcp.dstport == 22`, { rate: "10/m", burst: 5, per: "ip.src" }),
      allow("rest", expr`ip.proto != "gre"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
