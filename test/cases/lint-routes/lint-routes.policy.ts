/** Prefixes that no route leads out of. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport == 443`),
    ],
  },
  tunnels: { main: gre({ remote: "100.64.0.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "198.51.100.0/25", tunnel: "main" },
    { prefix: "198.51.100.192/26", tunnel: "main" },
  ],
});
