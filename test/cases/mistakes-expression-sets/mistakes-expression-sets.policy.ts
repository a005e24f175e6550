/** Sets that hold nothing, that mix families, and whose members are taken away again. */
import { allow, expr, gre, policy } from "tidegate";

const nobody: readonly number[] = [80, 443].filter((port) => port > 1000);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("empty", expr`tcp.dstport in {}`),
      allow("filtered", expr`tcp.dstport in ${nobody}`),
      allow("mixed", expr`ip.src in {192.0.2.0/24 2001:db8::/32}`),
      allow("taken-away", expr`ip.src in {192.0.2.0/25} and not ip.src in {192.0.2.0/24}`),
      allow("outside", expr`ip.dst in {198.51.100.0/24}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
