import { allow, drop, expr, gre, list, policy } from "tidegate";

const blocked = list(["192.0.2.0/26", "192.0.2.64/32", "198.18.0.0/15", "2001:db8:bad::/48"]);
const partners = list(["192.0.2.128/25", "192.0.2.7", "2001:db8::7"]);

export default policy({
  customer: "lists",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    drop("blocked", expr`ip.src in ${blocked}`),
    drop("strangers-to-admin", expr`ip.dst == 203.0.113.1 and not ip.src in ${partners}`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("partners", expr`ip.src in ${partners}`),
      allow("public", expr`ip.dst in {203.0.113.80 203.0.113.96/28 203.0.113.120..203.0.113.140} and tcp.dstport == 443`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
