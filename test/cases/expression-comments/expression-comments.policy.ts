/** Comments, tabs and new lines are allowed anywhere between words. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("no-space", expr`(tcp.dstport==23)or(udp.dstport==69)`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow(
        "explained",
        expr`
          # first the web
          (tcp.dstport in {80 443})   # both of "them", ) and ${80}
          or
          	udp.dstport == 443 # and HTTP/3
        `,
      ),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
