import { allow, expr, gre, policy } from "tidegate";

// The smallest policy: no mitigation, one rule, one route, and a prefix without a route.
export default policy({
  customer: "minimal",
  prefixes: ["203.0.113.0/25", "203.0.113.128/25"],
  firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport == 443`)] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/25", tunnel: "main" }],
});
