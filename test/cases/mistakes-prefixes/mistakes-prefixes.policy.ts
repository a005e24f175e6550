/** The policy's own prefixes. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.7/24", "203.0.113/24", "192.0.2.0/24", "192.0.2.128/25", "2001:db8::/129"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport == 443`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
