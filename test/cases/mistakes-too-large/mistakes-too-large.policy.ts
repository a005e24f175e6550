/** What no target can express names the rule to blame. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow(
        "alternatives",
        expr`
          (tcp.srcport == 1 xor tcp.dstport == 2 xor tcp.window == 3 xor tcp.flags.syn xor tcp.flags.ack xor ip.ttl == 4
            xor ip.len == 50 xor ip.id == 6 xor tcp.flags.fin xor tcp.flags.reset xor tcp.flags.push xor tcp.flags.urg)
        `,
      ),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
