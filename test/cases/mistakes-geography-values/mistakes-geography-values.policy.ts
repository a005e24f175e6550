/** Countries and AS numbers that the tables do not have. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("lower-case", expr`ip.src.country == "de"`),
      allow("name", expr`ip.src.country == "Germany"`),
      allow("not-in-the-table", expr`ip.src.country == "FR"`),
      allow("number", expr`ip.src.asnum == 64499`),
      allow("order", expr`ip.src.country > "DE"`),
      allow("text", expr`ip.src.asnum == "64496"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
