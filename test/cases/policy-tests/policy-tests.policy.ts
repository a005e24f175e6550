/** Packets with the verdict that their author expects; `tidegate test` keeps the promise. */
import { allow, drop, expr, gre, policy, reject } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("telnet", expr`tcp.dstport == 23`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport in {80 443}`),
      reject("ident", expr`tcp.dstport == 113`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  tests: [
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.80:443 flags=S", expect: "allow", rule: "web" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.80:23 flags=S", expect: "drop", rule: "telnet" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.80:113 flags=S", expect: "reject" },
    { packet: "udp 192.0.2.7:53 > 203.0.113.80:9 len=60 ttl=3", expect: "drop" },
    { packet: "icmp 192.0.2.7 > 203.0.113.80 type=8 code=0", expect: "drop" },
    { packet: "proto=47 192.0.2.7 > 203.0.113.80", expect: "drop" },
  ],
});
