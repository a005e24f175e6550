import { allow, drop, expr, gre, policy } from "tidegate";

// Overlapping rules: the first that matches decides its stage; `allow` in mitigate only ends that stage.
export default policy({
  customer: "first-match",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    allow("trusted", expr`ip.src in {192.0.2.0/28}`),
    drop("network", expr`ip.src in {192.0.2.0/24}`),
    allow("everyone-else", expr`ip.src in {0.0.0.0/0}`),
    drop("after-all", expr`tcp.dstport == 80`),
  ],
  firewall: {
    default: "allow",
    rules: [
      drop("host", expr`ip.dst == 203.0.113.9`),
      allow("port", expr`tcp.dstport == 80`),
      drop("half", expr`ip.dst in {203.0.113.0/25}`),
      drop("tcp", expr`ip.proto == "tcp" and ip.src == 192.0.2.7`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
