/** GRE: what it carries, and its key, which is there only if the header says so. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("bridged", expr`gre.proto == 0x6558`),
    drop("key", expr`gre.key == 0x12345678`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("keyed", expr`gre.key in {1..100}`),
      allow("ip-in-gre", expr`gre.proto in {0x0800 0x86dd} and not gre.key >= 0`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
