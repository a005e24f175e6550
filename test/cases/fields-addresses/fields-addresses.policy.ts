/** Addresses are compared within their family: a packet of the other one has no such address. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("source", expr`ip.src == 192.0.2.7 or ip.src == 2001:db8:bad::1`),
    drop("not-one", expr`ip.src != 192.0.2.8 and ip.dst == 203.0.113.8`),
    drop("not-in", expr`not ip.src in {fe80::/10} and ip.dst == 2001:db8::8`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("server", expr`ip.dst == 203.0.113.80 or ip.dst == 2001:db8::80`),
      allow("range", expr`ip.src in {192.0.2.1..192.0.2.9} or ip.src in {2001:db8:1::..2001:db8:2::}`),
      allow("written-out", expr`ip.src == 2001:0db8:0000:0000:0000:0000:0000:0001 or ip.src == ::ffff:192.0.2.1`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
