/** `contains`, `matches` and escapes: where they have a meaning, and which patterns are read. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("number", expr`tcp.dstport contains "8"`),
      allow("pattern", expr`ip.proto matches "(tcp"`),
      allow("signs", expr`ip.proto matches "t{2}"`),
      allow("no-text", expr`ip.proto contains 6`),
      allow("nothing", expr`ip.proto matches "^x$"`),
      allow("escape", expr`ip.proto == "t\qcp"`),
      allow("wildcard", expr`ip.proto wildcard "t*"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
