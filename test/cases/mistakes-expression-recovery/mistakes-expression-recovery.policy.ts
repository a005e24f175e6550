/** Several mistakes in one expression are reported at once, each at its place. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow(
        "many",
        expr`
          ip.src = 192.0.2.256        # one equals sign, and no address
          and tcp.dstprot == 80       # no such field
          and (tcp.dstport in {80, 443} or udp.dstport == 70000
          and tcp.flags.syn == true
        `,
      ),
      allow("ends", expr`tcp.dstport ==`),
      allow("empty", expr``),
      allow("brackets", expr`(tcp.dstport == 80)) and (ip.ttl == 1`),
      allow("no-operator", expr`tcp.dstport 80`),
      allow("two-values", expr`tcp.dstport == 80 443`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
