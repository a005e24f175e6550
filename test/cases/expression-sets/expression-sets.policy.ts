/** Sets: single values, prefixes and ranges side by side, with any space between them. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  firewall: {
    default: "drop",
    rules: [
      allow("mixed", expr`ip.src in {192.0.2.7 198.51.100.0/24 10.0.0.1..10.0.0.9}`),
      allow("six", expr`ip.src in {2001:db8:1::/48 fe80::1 ::2..::9}`),
      allow("names", expr`ip.proto in {"udp" 6 "gre"}`),
      allow("lines", expr`tcp.dstport in {
        80    # http
        443   # https
      }`),
      allow("tight", expr`udp.dstport in{53}and udp.srcport in{1024..65535}`),
      drop("not-in", expr`not tcp.dstport in {80 443} and ip.proto == "tcp"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
