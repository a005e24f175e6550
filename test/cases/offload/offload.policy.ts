/** The early step: what surely drops is asked in XDP, and what may match or has more to do than to drop ends it. */
import { allow, count, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "offload",
  prefixes: ["203.0.113.0/24"],
  mitigate: [drop("none", expr`tcp.flags == 0`)],
  firewall: {
    default: "drop",
    stateful: true, // tidegate-ignore TG3007: one server only
    rules: [
      drop("finger", expr`tcp.dstport == 79`),
      allow("web", expr`tcp.dstport in {80 443}`),
      drop("strays", expr`ip.proto == "udp" and not ct.state == "established"`),
      count("syn", expr`tcp.flags.syn`),
      drop("either", expr`tcp.dstport == 25 xor ct.state == "invalid" and ip.ttl < 9`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  tests: [
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:79 flags=S", expect: "drop", rule: "finger" },
    { packet: "udp 192.0.2.7:53 > 203.0.113.9:9", expect: "drop", rule: "strays" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:25 flags=A", expect: "drop", rule: "either" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:22 flags=S", expect: "drop" },
  ],
});
