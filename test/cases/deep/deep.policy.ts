import { allow, drop, expr, gre, policy } from "tidegate";

const internal = expr`ip.src in {192.0.2.0/24}`;
const web = expr`tcp.dstport in {80 443}`;

// Expressions made of expressions.
export default policy({
  customer: "deep",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("mixed", expr`(${internal} and not ${web}) or (not ${internal} and (${web} xor tcp.flags.ack))`),
    drop(
      "three-ways",
      expr`tcp.srcport < 1024 xor tcp.dstport < 1024 xor tcp.flags.syn
           or (udp.srcport == 123 and (udp.dstport != 123 or udp.len > 90))`,
    ),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("both", expr`(${internal} or ip.src == 198.51.100.7) and (${web} or udp.dstport in {53 443})`),
      allow("not-both", expr`not (${internal} and ${web}) and not ip.proto == 17`),
      drop("never-both", expr`not (not ${internal} or not (tcp.flags.syn or udp.srcport == 53))`),
      allow("xor", expr`${internal} xor ${web} xor icmp.type == 8`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
