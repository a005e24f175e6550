/** Members that another one covers are merged, with a note; so are members outside of the policy's prefixes in `ip.dst`. */
import { allow, expr, gre, list, policy } from "tidegate";

const partners = list(["198.51.100.0/24", "198.51.100.7", "192.0.2.0/25", "192.0.2.0/25", "2001:db8::/32", "2001:db8:1::/48"]);
const servers = list(["203.0.113.80", "203.0.112.80"]);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("partners", expr`ip.src in ${partners} and tcp.dstport in {80 80 8000..8099 8080}`),
      allow("servers", expr`ip.dst in ${servers}`),
      allow("written-out", expr`ip.dst in {203.0.113.1 203.0.114.1}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
