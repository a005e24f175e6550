/** JSON is strict: a mistake in it is shown in the JSON file. */
import { allow, expr, gre, list, policy } from "tidegate";
import partners from "./partners.json";
import services from "./services.json";

const friends = list(partners);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("partners", expr`ip.src in ${friends}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
