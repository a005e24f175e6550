/** A limit that no link can exceed never drops a packet. */
import { expr, gre, limit, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    limit("too-fast", expr`icmp.type == 8`, { rate: "1000000000/s" }),
    limit("fast", expr`icmp.type == 0`, { rate: "1000000/s" }),
  ],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
