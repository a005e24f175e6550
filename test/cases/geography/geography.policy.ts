/** Countries and AS numbers come from the operator's tables, and become prefixes. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("as", expr`ip.src.asnum == 64500`),
    drop("not-near", expr`ip.src.country != "DE" and udp.dstport == 53`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("here", expr`ip.src.country in {"DE" "FR"} and tcp.dstport == 443`),
      allow("neighbours", expr`ip.src.asnum in {64496..64499} or ip.dst.asnum == 64511`),
      allow("by-letter", expr`ip.src.country matches "^D" and ip.dst.country == "US"`),
      allow("unknown", expr`not ip.src.country in {"DE" "FR" "US"} and icmp.type == 8`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});
