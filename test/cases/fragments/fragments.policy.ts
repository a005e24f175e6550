import { allow, drop, expr, gre, policy } from "tidegate";

// Nothing here may read a port out of a later fragment's payload.
export default policy({
  customer: "fragments",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [drop("telnet", expr`tcp.dstport == 23`), drop("chargen", expr`udp.srcport == 19`)],
  firewall: {
    default: "drop",
    rules: [
      drop("no-ssh", expr`tcp.dstport == 22`),
      allow("low", expr`tcp.dstport < 1024 or udp.dstport < 1024`),
      allow("ack", expr`tcp.flags.ack`),
      drop("not-web", expr`not tcp.dstport == 8080 and ip.src == 192.0.2.7`),
      allow("any-udp", expr`ip.proto == 17`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
