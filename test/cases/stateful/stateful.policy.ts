/** Connections: what was asked for comes back, and a new one only to the web server. */
import { allow, count, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "stateful",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    stateful: true,
    rules: [
      drop("strays", expr`ct.state == "invalid"`),
      allow("known", expr`ct.state in {"established" "related"}`),
      count("opened", expr`ct.state == "new" and tcp.flags.syn`),
      allow("web", expr`tcp.dstport in {80 443}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  tests: [
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:80 flags=S", expect: "allow", rule: "web" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:22 flags=A ct=established", expect: "allow", rule: "known" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.9:22 flags=A ct=invalid", expect: "drop", rule: "strays" },
    { packet: "udp 192.0.2.7:53 > 203.0.113.9:9 ct=new", expect: "drop" },
  ],
});
