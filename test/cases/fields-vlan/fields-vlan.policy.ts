/** The VLAN tag is in the frame, so only `mitigate` sees it. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("guests", expr`eth.vlan in {100..199}`),
    drop("untagged", expr`not eth.vlan >= 0 and udp.dstport == 69`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("all", expr`ip.version == 4`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
