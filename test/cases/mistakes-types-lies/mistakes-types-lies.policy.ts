/** `as any` silences TypeScript; the values are looked at all the same. */
import { allow, drop, expr, gre, limit, policy } from "tidegate";

const lie: any = 80;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop(5 as any, expr`tcp.dstport == 23`),
    drop("text", "tcp.dstport == 80" as any),
    "drop" as any,
    limit("rate", expr`icmp.type == 8`, { rate: 100 as any, per: "tcp.srcport" as any }),
    limit("options", expr`icmp.type == 8`, null as any),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("object", expr`ip.src == ${{ address: "192.0.2.7" } as any}`),
      allow(lie, expr`tcp.dstport == ${lie}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
