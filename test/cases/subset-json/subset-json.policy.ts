/** Data can stand in JSON: lists of prefixes, and tables that rules are made of. */
import { allow, expr, gre, list, policy } from "tidegate";
import partners from "./partners.json" with { type: "json" };
import services from "./services.json" with { type: "json" };

const friends = list(partners);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("partners", expr`ip.src in ${friends}`),
      ...services.open.map(({ name, port }) => allow(name, expr`tcp.dstport == ${port}`)),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
