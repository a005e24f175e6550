/** A mistake is shown where it was written, also in another file; what led there is a note. */
import { allow, expr, gre, list, policy } from "tidegate";
import { deny, office } from "./lists.js";
import partners from "./partners.json";

const friends = list(partners);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    deny("office", office),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("partners", expr`ip.src in ${friends}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
