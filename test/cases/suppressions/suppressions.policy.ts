/** A warning that is right to be left is suppressed, with its reason: above, at the end of the line, inside an expression. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    // tidegate-ignore TG3004: all but telnet is limited elsewhere
    drop("above", expr`not tcp.dstport == 23`),
    drop("behind", expr`not tcp.dstport == 24`), // tidegate-ignore TG3004: the same
    drop(
      "inside",
      expr`
        # tidegate-ignore TG3004: meant for all protocols
        not tcp.dstport == 25
      `,
    ),
    // tidegate-ignore TG3001, TG3004: kept for the day that it can match
    drop("two-codes", expr`not tcp.dstport == 26 and icmp.type == 8 and udp.dstport == 9`),
  ],
  firewall: {
    default: "drop",
    // tidegate-ignore TG3007: one server only
    stateful: true,
    rules: [allow("known", expr`ct.state == "established"`)],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
