/** An error and warnings of one rule: all are told. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`not tcp.dstport == 70000`),
      drop("dst", expr`ip.dst in {198.51.100.7} or tcp.dstport >= 0`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
