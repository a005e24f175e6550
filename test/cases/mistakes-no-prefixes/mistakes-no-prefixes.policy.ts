/** A policy without prefixes, and without a default. */
import { gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: [],
  firewall: { rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [],
});
