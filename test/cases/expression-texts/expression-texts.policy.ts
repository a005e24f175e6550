/** `contains` and `matches` choose among names that are known, and become sets. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("contains", expr`ip.proto contains "dp"`),
      allow("matches", expr`ip.proto matches "^(tcp|sctp)$"`),
      allow("sign", expr`ip.proto ~ "^icmp"`),
      drop("not-contains", expr`not ip.proto contains "p" and ip.proto in {"ah" "esp"}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
