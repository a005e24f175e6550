import { allow, drop, expr, gre, list, policy } from "tidegate";

const nobody = list([]);

export default policy({
  customer: "mistakes",
  prefixes: ["203.0.113.0/24"],
  mitigate: [drop("empty", expr`ip.src in ${nobody}`), drop("mixed", expr`ip.src in {10.0.0.0/8 2001:db8::/32}`)],
  firewall: {
    default: "drop",
    rules: [
      allow("port", expr`tcp.dstport == 70000`),
      allow("typo", expr`ip.sorce == 192.0.2.7`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "198.51.100.0/24", tunnel: "main" }],
});
