/** Tests: packets that cannot be read, verdicts that there are not, rules that there are not. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport == 443`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  tests: [
    { packet: "tcp 192.0.2.7 > 203.0.113.9:80", expect: "allow" },
    { packet: "tcp 192.0.2.7:4000 > 203.0.113.9:80 flags=Q", expect: "allow" },
    { packet: "udp 192.0.2.7:53 > [2001:db8::1]:9", expect: "drop" },
    { packet: "tcp 192.0.2.7:4000 > 203.0.113.9:443", expect: "pass" },
    { packet: "tcp 192.0.2.7:4000 > 203.0.113.9:443", expect: "allow", rule: "wbe" },
  ],
});
