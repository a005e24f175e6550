/** A suppression that suppresses nothing is told, so that none outlives its reason. */
import { drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    // tidegate-ignore TG3004: nothing is negated any more
    drop("telnet", expr`tcp.dstport == 23`),
    drop("two", expr`not tcp.dstport == 24`), // tidegate-ignore TG3004, TG3001: only the first is needed
  ],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
