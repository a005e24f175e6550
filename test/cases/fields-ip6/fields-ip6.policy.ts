/** What only IPv6 has: a flow label, and extension headers. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("no-label", expr`ip6.flow == 0 and ip.proto == "tcp"`),
    drop("extended", expr`ip6.ext and not ip.frag`),
  ],
  firewall: {
    default: "drop",
    rules: [
      drop("low-label", expr`ip6.flow in {1..0xff}`),
      allow("plain", expr`ip.version == 6 and not ip6.ext`),
      allow("label-bits", expr`ip6.flow & 0x80000`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
