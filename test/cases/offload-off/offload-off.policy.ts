/** Without the early step the program has the mitigate stage alone. */
import { drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "offload",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", offload: "off", rules: [drop("finger", expr`tcp.dstport == 79`)] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  tests: [{ packet: "tcp 192.0.2.7:40000 > 203.0.113.9:79 flags=S", expect: "drop", rule: "finger" }],
});
