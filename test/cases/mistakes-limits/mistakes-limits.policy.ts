/** Rates, bursts and keys of limits. */
import { expr, gre, limit, log, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    limit("unit", expr`icmp.type == 8`, { rate: "100/d" }),
    limit("form", expr`icmp.type == 8`, { rate: "100 per s" }),
    limit("zero", expr`icmp.type == 8`, { rate: "0/s" }),
    limit("fast", expr`icmp.type == 8`, { rate: "2000000000/s" }),
    limit("fraction", expr`icmp.type == 8`, { rate: "0.5/s" }),
    limit("burst", expr`icmp.type == 8`, { rate: "100/s", burst: 0 }),
    limit("large-burst", expr`icmp.type == 8`, { rate: "100/s", burst: 1e12 }),
    limit("key", expr`icmp.type == 8`, { rate: "100/s", per: "tcp.srcport" }),
    log("sample", expr`icmp.type == 0`, { sample: 0 }),
  ],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
