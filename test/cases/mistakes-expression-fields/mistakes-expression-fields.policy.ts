/** Fields that there are not, with those that could have been meant. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("typing-error", expr`tcp.dstprot == 80`),
      allow("tshark", expr`tcp.port == 80 or ip.addr == 192.0.2.7`),
      allow("nft", expr`ip.saddr == 192.0.2.7`),
      allow("cloudflare", expr`http.host == "example.com"`),
      allow("capital", expr`TCP.dstport == 80`),
      allow("other-layer", expr`udp.flags.syn or icmp6.kind == 1`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
