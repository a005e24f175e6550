import { allow, drop, expr, gre, policy } from "tidegate";

// Bit tests and exact tests of the same byte are different questions.
export default policy({
  customer: "flags",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    drop("null-scan", expr`tcp.flags == 0`),
    drop("xmas", expr`tcp.flags.fin and tcp.flags.push and tcp.flags.urg`),
    drop("syn-fin", expr`tcp.flags.syn and tcp.flags.fin`),
    drop("odd-masks", expr`tcp.flags & 0xc0 and not tcp.flags.ack`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("syn-exact", expr`tcp.flags == 0x02`),
      allow("established", expr`tcp.flags.ack and not tcp.flags.syn`),
      allow("reset-range", expr`tcp.flags in {0x04..0x07}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
