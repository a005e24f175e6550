/** Each stage has what it cannot do, or cannot see. */
import { drop, expr, gre, log, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    log("written", expr`tcp.flags.syn`),
    drop("invalid", expr`ct.state == "invalid"`),
  ],
  firewall: {
    default: "drop",
    stateful: true, // tidegate-ignore TG3007: one server only
    rules: [drop("tagged", expr`eth.vlan == 100`)],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
