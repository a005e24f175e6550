/** Actions where they cannot be, and with options that they do not have. */
import { allow, count, expr, gre, log, policy, reject } from "tidegate";

export default policy({
  customer: "actions",
  prefixes: ["203.0.113.0/24"],
  mitigate: [reject("telnet", expr`tcp.dstport == 23`)],
  firewall: {
    default: "refuse",
    rules: [
      allow("known", expr`ct.state == "established"`),
      log("never", expr`tcp.dstport == 22`, { sample: 0 }),
      log("seldom", expr`tcp.dstport == 24`, { every: 10 }),
      count("all", expr`ip.ttl > 1`, { sample: 2 }),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
