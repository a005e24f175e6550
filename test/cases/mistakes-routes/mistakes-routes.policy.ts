/** Routes: to which tunnel, for which prefix, in which order. */
import { gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { chicago: gre({ remote: "198.51.100.1" }), paris: gre({ remote: "198.51.100.2" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "chcago" },
    { prefix: "203.0.112.0/24", tunnel: "paris" },
    { prefix: "203.0.113.0/25", tunnel: "chicago", priority: 10 },
    { prefix: "203.0.113.0/25", tunnel: "chicago", priority: 10 },
    { prefix: "203.0.113.128/25", tunnel: "paris", priority: -1, weight: 300 },
  ],
});
