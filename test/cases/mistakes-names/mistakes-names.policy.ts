/** Names: their form, and each once. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "Acme Inc.",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("Telnet", expr`tcp.dstport == 23`),
    drop("no_telnet", expr`tcp.dstport == 24`),
    drop("scan", expr`tcp.dstport == 25`),
    drop("a-name-that-is-far-too-long-for-a-counter", expr`tcp.dstport == 26`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("scan", expr`tcp.dstport == 27`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
