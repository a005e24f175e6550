/** Connection state: only in a stateful firewall, never in `mitigate`. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("early", expr`ct.state == "invalid"`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("known", expr`ct.state == "established"`),
      allow("no-such-state", expr`ct.state == "open"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
