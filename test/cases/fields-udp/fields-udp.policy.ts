/** UDP, and ports that are TCP's or UDP's. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("empty", expr`udp.len <= 8`),
    drop("reflected", expr`udp.srcport in {19 53 123} and udp.len > 512`),
    drop("telnet", expr`port.dst == 23 or port.src == 23`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("dns", expr`port.dst == 53`),
      allow("high", expr`port.src >= 49152 and udp.dstport != 443`),
      allow("not-low", expr`port.dst != 22 and port.dst < 1024`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
