/** `not` also holds for packets without the field; `!=` does not. Where it is meant, say so. */
import { drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      drop("not-web", expr`not tcp.dstport == 80`),
      drop("not-in", expr`not udp.dstport in {53 123}`),
      drop("not-flag", expr`not tcp.flags.syn and ip.ttl < 5`),
      drop("guarded", expr`ip.proto == "tcp" and not tcp.dstport == 81`),
      drop("not-equal", expr`tcp.dstport != 82`),
      // tidegate-ignore TG3004: everything but the web is meant
      drop("meant", expr`not tcp.dstport == 83`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
