import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "protocols",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    drop("tunnelled", expr`ip.proto in {4 41 "gre"}`),
    drop("unknown", expr`ip.proto > 142`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("vpn", expr`ip.proto in {"esp" "ah"} or udp.dstport in {500 4500}`),
      allow("sctp", expr`ip.proto == "sctp"`),
      drop("not-transport", expr`ip.proto != 6 and ip.proto != 17`),
      allow("tcp", expr`ip.proto == "tcp" and not tcp.dstport in {22..23}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
