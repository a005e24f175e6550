/** Comparisons that hold for every packet that has the field are warned of. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("all-ports", expr`tcp.dstport >= 0`),
      allow("full-range", expr`udp.dstport in {0..65535}`),
      allow("all-addresses", expr`ip.src in {0.0.0.0/0}`),
      allow("every-length", expr`ip.len >= 20 and icmp.type <= 255`),
      allow("either", expr`port.dst <= 65535 or ip6.flow >= 0`),
      // There is no other way to ask whether an option is there.
      allow("option", expr`tcp.option.mss >= 0`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
