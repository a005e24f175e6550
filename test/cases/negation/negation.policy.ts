import { allow, drop, expr, gre, policy } from "tidegate";

// `!=` asks for the header, `not (… == …)` does not.
export default policy({
  customer: "negation",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [
    drop("not-equal", expr`udp.dstport != 53 and udp.srcport == 53`),
    // tidegate: holds for every packet that is not TCP to port 80, ICMP and fragments too
    drop("not-of-equal", expr`not tcp.dstport == 80 and ip.src in {192.0.2.0/25}`),
    drop("not-family", expr`not ip.src in {fe80::/10 2000::/3} and ip.proto == 50`),
  ],
  firewall: {
    default: "allow",
    rules: [
      drop("other-family", expr`ip.src != 192.0.2.7 and tcp.dstport == 22`),
      drop("neither", expr`not (tcp.dstport in {80 443} or udp.dstport == 443) and ip.dst == 203.0.113.9`),
      drop("xor", expr`tcp.srcport < 1024 xor tcp.dstport < 1024`),
      drop("not-udp-len", expr`not udp.len <= 512 and ip.proto == "udp"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8:f::/48", tunnel: "main" },
  ],
});
